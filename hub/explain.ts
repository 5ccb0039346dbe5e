/** What bytes could be: every format of the alarm road is tried, strictly, and each that fits is explained. Pure.
 *  Signatures are not checked here, and the result says so; `tugma verify` does that for a whole evidence file. */
import { decodeCbor } from "../protocols/cbor.ts";
import { decodeCommand } from "../protocols/command.ts";
import { sha256Hex } from "../protocols/cose.ts";
import { isCodecError } from "../protocols/device/codec-error.ts";
import { decodeFrame } from "../protocols/device/frame.ts";
import { decodeReport } from "../protocols/device/report.ts";
import { decodeStage } from "../protocols/device/stage.ts";
import { decodeEnrolment } from "../protocols/enrolment.ts";
import { decodeEvent } from "../protocols/event.ts";
import { decodeEvidence } from "../protocols/evidence.ts";
import {
  createAesKey,
  cryptFrmPayload,
  verifyDataMic,
  verifyJoinRequestMic,
} from "../protocols/lorawan/crypto.ts";
import { fromHex } from "../protocols/lorawan/hex.ts";
import { decodeMacCommands } from "../protocols/lorawan/mac.ts";
import { type DataFrame, decodePhyPayload, isUplink, type PhyPayload } from "../protocols/lorawan/phy.ts";
import { splitSequence } from "../protocols/mqtt-topics.ts";
import { decodePoll } from "../protocols/poll.ts";
import { decodeReceipt } from "../protocols/receipt.ts";
import { decodeSemtech } from "../protocols/semtech-udp.ts";

/** Session or root keys for a frame's MIC and payload, as hex; all optional. */
export interface FrameKeys {
  readonly nwkSKey?: string;
  readonly appSKey?: string;
  readonly appKey?: string;
  /** Upper 16 bits of the 32-bit frame counter. */
  readonly fCntHigh?: number;
}

export interface Explanation {
  readonly format: string;
  /** What was and was not checked. */
  readonly notes: readonly string[];
  /** JSON-shaped. */
  readonly value: unknown;
}

/** Every reading of `bytes`, the likeliest first; empty when nothing fits. Never throws for any bytes. */
export function explain(bytes: Uint8Array, keys: FrameKeys = {}): Explanation[] {
  const readings: ((bytes: Uint8Array) => Explanation)[] = [
    explainEvidence,
    (b) => explainSequence(b),
    explainSemtech,
    (b) => explainPhy(b, keys),
    (b) => ({ format: "report", notes: ["8 bytes a device says, FPort 2 up"], value: decodeReport(b) }),
    (b) => ({ format: "stage", notes: ["4 bytes the hub answers, FPort 2 down"], value: decodeStage(b) }),
    (b) => explainWire(b, keys),
  ];
  return readings.flatMap((read) => attempt(() => read(bytes)) ?? []);
}

/** The value, or undefined where the bytes are not of that format. A bug still throws. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isCodecError(error)) return undefined;
    throw error;
  }
}

function explainEvidence(bytes: Uint8Array): Explanation {
  const evidence = decodeEvidence(bytes);
  return {
    format: "evidence",
    notes: ["signatures not checked here: `tugma verify FILE` does"],
    value: {
      realm: evidence.realm,
      keys: evidence.keys,
      records: evidence.records.flatMap((r) => explainSequence(r).value),
      receipts: evidence.receipts.flatMap((r) => explainSequence(r).value),
      acts: evidence.acts,
    },
  };
}

const SEALED: readonly (readonly [name: string, decode: (payload: Uint8Array) => unknown])[] = [
  ["event record", decodeEvent],
  ["receipt", decodeReceipt],
  ["enrolment", decodeEnrolment],
  ["poll", decodePoll],
  ["command", decodeCommand],
];

const TAG_COSE_SIGN1 = 0xd2;

/** One or more COSE_Sign1, one behind the other. */
function explainSequence(bytes: Uint8Array): Explanation {
  const items = splitSequence(bytes).map((item) => {
    const parts = decodeCbor(item.subarray(item[0] === TAG_COSE_SIGN1 ? 1 : 0), "COSE_Sign1");
    const [header, , payload] = Array.isArray(parts) ? parts : [];
    const read = SEALED.flatMap(([name, decode]) => {
      const value = attempt(() => decode(payload as Uint8Array));
      return value === undefined ? [] : [{ name, value }];
    })[0];
    return {
      what: read?.name ?? "COSE_Sign1 of an unknown payload",
      kid: keyId(header as Uint8Array),
      hash: sha256Hex(item),
      value: read?.value ?? Buffer.from(payload as Uint8Array).toString("hex"),
    };
  });
  const [only] = items;
  return {
    format: items.length === 1 ? `COSE_Sign1: ${only?.what}` : `sequence of ${items.length} COSE_Sign1`,
    notes: ["signature not checked"],
    value: items.length === 1 ? only : items,
  };
}

function keyId(header: Uint8Array): string {
  const map = decodeCbor(header, "protected header");
  const kid = map instanceof Map ? map.get(4) : undefined;
  return kid instanceof Uint8Array ? Buffer.from(kid).toString("hex") : "";
}

function explainSemtech(bytes: Uint8Array): Explanation {
  const packet = decodeSemtech(bytes);
  const frames = packet.type === "pushData" ? packet.rxpk.map((r) => r.phyPayload) : [];
  if (packet.type === "pullResp") frames.push(packet.txpk.phyPayload);
  return {
    format: `Semtech UDP ${packet.type}`,
    notes: ["this protocol carries no authentication"],
    value: {
      ...(hexed(packet) as object),
      frames: frames.flatMap((f) => attempt(() => decodePhyPayload(f)) ?? []),
    },
  };
}

/** Byte arrays as hex, so that every value here is JSON-shaped. */
function hexed(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(hexed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hexed(inner)]));
}

function explainPhy(bytes: Uint8Array, keys: FrameKeys): Explanation {
  const phy = decodePhyPayload(bytes);
  if (phy.mType === "joinRequest" || phy.mType === "joinAccept") return explainJoin(bytes, phy, keys);
  return explainData(bytes, phy as DataFrame, keys);
}

function explainJoin(bytes: Uint8Array, phy: PhyPayload, { appKey }: FrameKeys): Explanation {
  const note =
    phy.mType !== "joinRequest"
      ? "encrypted with the AppKey"
      : appKey === undefined
        ? "MIC not checked: no appKey given"
        : `MIC ${verifyJoinRequestMic(createAesKey(appKey), bytes) ? "correct" : "WRONG"}`;
  return { format: `LoRaWAN ${phy.mType}`, notes: [note], value: phy };
}

function explainData(bytes: Uint8Array, phy: DataFrame, keys: FrameKeys): Explanation {
  const direction = isUplink(phy.mType) ? "up" : "down";
  const fCnt = (keys.fCntHigh ?? 0) * 0x1_0000 + phy.fCnt16;
  const notes: string[] = [];
  if (keys.nwkSKey === undefined) notes.push("MIC not checked: no nwkSKey given");
  else {
    const right = verifyDataMic(createAesKey(keys.nwkSKey), direction, phy.devAddr, fCnt, bytes);
    notes.push(`MIC ${right ? "correct" : "WRONG"} for frame counter ${fCnt}`);
  }
  const key = phy.fPort === 0 ? keys.nwkSKey : keys.appSKey;
  const value: Record<string, unknown> = { ...phy };
  if (phy.fOpts !== "")
    value["macCommands"] = attempt(() => decodeMacCommands(fromHex(phy.fOpts), direction));
  if (phy.fPort !== null && key !== undefined) {
    const plain = cryptFrmPayload(createAesKey(key), direction, phy.devAddr, fCnt, fromHex(phy.frmPayload));
    value["payload"] = Buffer.from(plain).toString("hex");
    if (phy.fPort === 0) value["macCommands"] = attempt(() => decodeMacCommands(plain, direction));
    if (phy.fPort === 2)
      value["says"] = attempt(() => (direction === "up" ? decodeReport(plain) : decodeStage(plain)));
  } else if (phy.frmPayload !== "") notes.push("payload encrypted: no key for it given");
  return { format: `LoRaWAN ${phy.mType}`, notes, value };
}

function explainWire(bytes: Uint8Array, keys: FrameKeys): Explanation {
  const { payload, ...head } = decodeFrame(bytes);
  const inner = attempt(() => explainPhy(payload, keys));
  return {
    format: `wire frame, ${head.type}`,
    notes: ["CRC correct", ...(inner?.notes ?? [])],
    value: { ...head, payload: inner?.value ?? Buffer.from(payload).toString("hex") },
  };
}
