/** Stage: how far an event has come, hub → device, 4 bytes on FPort 2. In the Espruino subset.
 *    byte 0  version:3 type:5 = 1   |   1  stage   |   2-3  event number, big-endian
 *  A device believes a stage only for its own event number; a bare MAC ACK never means more than "stored". */
import { codecError } from "./codec-error.ts";

export const STAGE_FPORT = 2;
export const STAGE_LENGTH = 4;

/** The ladder, lowest first. Index = wire value - 1. The same words in code, on topics, on lights and on screens. */
export const STAGES = ["stored", "received", "taken", "dispatched", "closed"] as const;
export type Stage = (typeof STAGES)[number];

export interface StageReport {
  readonly stage: Stage;
  readonly eventNumber: number;
}

const VERSION = 1;
const TYPE = 1;

export function encodeStage(s: StageReport): Uint8Array {
  return new Uint8Array([
    (VERSION << 5) | TYPE,
    STAGES.indexOf(s.stage) + 1,
    s.eventNumber >> 8,
    s.eventNumber & 0xff,
  ]);
}

/** Throws a CodecError: length, version, type, stage. */
export function decodeStage(bytes: Uint8Array): StageReport {
  const at = (i: number) => bytes[i] ?? 0;
  if (bytes.length !== STAGE_LENGTH) throw codecError("length", "stage: " + bytes.length + " bytes, not 4");
  if (at(0) >> 5 !== VERSION) throw codecError("version", "stage: version " + (at(0) >> 5) + ", not 1");
  if ((at(0) & 0x1f) !== TYPE) throw codecError("type", "stage: message type " + (at(0) & 0x1f) + ", not 1");
  const stage = STAGES[at(1) - 1];
  if (stage === undefined) throw codecError("stage", "stage: no stage " + at(1));
  return { stage: stage, eventNumber: (at(2) << 8) | at(3) };
}
