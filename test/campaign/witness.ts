/** Somebody who knows every device's root key and hears every frame: follows each join to its session keys, opens all
 *  frames of both directions, and notes what no honest network may do. */
import { isCodecError } from "../../protocols/device/codec-error.ts";
import { decodeReport, REPORT_FPORT, type Report } from "../../protocols/device/report.ts";
import { decodeStage, STAGE_FPORT, type StageReport } from "../../protocols/device/stage.ts";
import {
  type AesKey,
  createAesKey,
  cryptFrmPayload,
  openJoinAccept,
  sessionKeys10,
  verifyDataMic,
} from "../../protocols/lorawan/crypto.ts";
import { fromHex } from "../../protocols/lorawan/hex.ts";
import { type DataFrame, decodePhyPayload, isUplink } from "../../protocols/lorawan/phy.ts";

export interface SessionSecrets {
  readonly devAddr: string;
  readonly nwkSKey: string;
  readonly appSKey: string;
}

/** A frame that was opened. */
export type Heard =
  | { readonly type: "report"; readonly devEui: string; readonly report: Report; readonly fCnt: number }
  | {
      readonly type: "answer";
      readonly devEui: string;
      readonly ack: boolean;
      readonly stage: StageReport | null;
      readonly fCnt: number;
    };

export interface Witness {
  /** Null for a frame that says nothing about an event. */
  hear(phyPayload: Uint8Array): Heard | null;
  /** Sessions seen, and downlinks in them. */
  readonly sessions: number;
  readonly downlinks: number;
  /** In words: a counter used for two frames, a JoinNonce given twice, a downlink that no session explains. */
  readonly offences: readonly string[];
}

interface Known {
  readonly devEui: string;
  readonly nwkSKey: AesKey;
  readonly appSKey: AesKey;
  /** FCntDown → frame, hex. */
  readonly downlinks: Map<number, string>;
}

interface Root {
  readonly devEui: string;
  readonly appKey: AesKey;
  /** Of the join-requests heard. */
  readonly devNonces: Set<number>;
  readonly joinAccepts: Map<number, string>;
}

export interface WitnessedDevice {
  readonly devEui: string;
  readonly appKey: string;
  /** Of a device that has joined already. */
  readonly session?: SessionSecrets;
}

/** Counters must stay below 65536: then the 16 bits on air are all there is. */
export function createWitness(devices: readonly WitnessedDevice[]): Witness {
  const roots = devices.map(
    ({ devEui, appKey }): Root => ({
      devEui,
      appKey: createAesKey(appKey),
      devNonces: new Set(),
      joinAccepts: new Map(),
    }),
  );
  const byDevAddr = new Map<string, Known[]>();
  const offences: string[] = [];
  let sessions = 0;
  let downlinks = 0;

  const begin = (devEui: string, { devAddr, nwkSKey, appSKey }: SessionSecrets) => {
    const known = {
      devEui,
      nwkSKey: createAesKey(nwkSKey),
      appSKey: createAesKey(appSKey),
      downlinks: new Map(),
    };
    byDevAddr.set(devAddr, [...(byDevAddr.get(devAddr) ?? []), known]);
    sessions++;
  };
  for (const { devEui, session } of devices) if (session !== undefined) begin(devEui, session);

  const hearJoinAccept = (bytes: Uint8Array) => {
    for (const { devEui, appKey, devNonces, joinAccepts } of roots) {
      if (devNonces.size === 0) continue;
      const accept = orNull(() => openJoinAccept(appKey, bytes));
      if (accept === null) continue;
      const hex = Buffer.from(bytes).toString("hex");
      const before = joinAccepts.get(accept.joinNonce);
      if (before === hex) return;
      if (before !== undefined) offences.push(`${devEui}: JoinNonce ${accept.joinNonce} given twice`);
      joinAccepts.set(accept.joinNonce, hex);
      // which request it answers shows in the keys only
      for (const devNonce of devNonces) {
        const keys = sessionKeys10(appKey, accept.joinNonce, accept.netId, devNonce);
        begin(devEui, { devAddr: accept.devAddr, ...keys });
      }
      return;
    }
    offences.push("a join-accept for no device that asked");
  };

  const sessionOf = (frame: DataFrame, bytes: Uint8Array): Known | undefined => {
    const direction = isUplink(frame.mType) ? "up" : "down";
    return byDevAddr
      .get(frame.devAddr)
      ?.find(({ nwkSKey }) => verifyDataMic(nwkSKey, direction, frame.devAddr, frame.fCnt16, bytes));
  };

  const hearUplink = (frame: DataFrame, bytes: Uint8Array): Heard | null => {
    const known = sessionOf(frame, bytes);
    if (known === undefined || frame.fPort !== REPORT_FPORT) return null;
    const { devAddr, fCnt16: fCnt } = frame;
    const payload = cryptFrmPayload(known.appSKey, "up", devAddr, fCnt, fromHex(frame.frmPayload));
    return payload.length === 0
      ? null
      : { type: "report", devEui: known.devEui, report: decodeReport(payload), fCnt };
  };

  const hearDownlink = (frame: DataFrame, bytes: Uint8Array): Heard | null => {
    const { devAddr, fCnt16: fCnt, fPort } = frame;
    const known = sessionOf(frame, bytes);
    if (known === undefined) {
      offences.push(`a downlink to ${devAddr} with FCntDown ${fCnt} that no session explains`);
      return null;
    }
    const hex = Buffer.from(bytes).toString("hex");
    const before = known.downlinks.get(fCnt);
    if (before === undefined) downlinks++;
    else if (before !== hex)
      offences.push(`${known.devEui} (${devAddr}): FCntDown ${fCnt} used for two frames`);
    known.downlinks.set(fCnt, hex);
    const plain = cryptFrmPayload(known.appSKey, "down", devAddr, fCnt, fromHex(frame.frmPayload));
    const stage = fPort === STAGE_FPORT ? decodeStage(plain) : null;
    return { type: "answer", devEui: known.devEui, ack: frame.fCtrl.ack, stage, fCnt };
  };

  return {
    offences,
    get sessions() {
      return sessions;
    },
    get downlinks() {
      return downlinks;
    },
    hear(bytes) {
      const frame = decodePhyPayload(bytes);
      if (frame.mType === "joinRequest") {
        roots.find(({ devEui }) => devEui === frame.devEui)?.devNonces.add(frame.devNonce);
        return null;
      }
      if (frame.mType === "joinAccept") {
        hearJoinAccept(bytes);
        return null;
      }
      return isUplink(frame.mType) ? hearUplink(frame, bytes) : hearDownlink(frame, bytes);
    },
  };
}

function orNull<T>(open: () => T): T | null {
  try {
    return open();
  } catch (error) {
    if (!isCodecError(error)) throw error;
    return null;
  }
}
