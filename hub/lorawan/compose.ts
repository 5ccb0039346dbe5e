/** The bytes of a data downlink: acknowledgement, MAC commands and the sink's answer, as far as they fit. Pure but for
 *  the FCntDown it takes. */
import { sealDataFrame } from "../../protocols/lorawan/crypto.ts";
import { toHex } from "../../protocols/lorawan/hex.ts";
import { encodeMacCommands, type MacCommand } from "../../protocols/lorawan/mac.ts";
import { takeFCntDown } from "./fcnt-down.ts";
import { keysOf, type LiveSession } from "./session.ts";

/** FOpts hold no more. */
const MAX_F_OPTS = 15;
/** MHDR, FHDR without FOpts, MIC. */
const EMPTY_FRAME = 12;

/** What the sink has to say; null: nothing. */
export type Answer = { fPort: number; payload: Uint8Array; canWait?: boolean } | null;

export interface DownlinkContent {
  ack: boolean;
  adr: boolean;
  commands: readonly MacCommand[];
  answer: Answer;
}

/** A sealed downlink with `maxPayload` bytes of room (N of RP002) and the commands that found room in it. Null: no
 *  FCntDown is reserved. The answer goes before the commands; what does not fit waits for the next downlink. */
export function composeDownlink(
  live: LiveSession,
  content: DownlinkContent,
  maxPayload: number,
): { phyPayload: Uint8Array; commands: readonly MacCommand[] } | null {
  const fCnt32 = takeFCntDown(live);
  if (fCnt32 === null) return null;
  const answer =
    content.answer !== null && content.answer.payload.length <= maxPayload ? content.answer : null;
  const commands = fitting(content.commands, maxPayload - (answer?.payload.length ?? 0));
  const phyPayload = sealDataFrame(keysOf(live), {
    mType: "unconfirmedDataDown",
    devAddr: live.state.devAddr,
    fCtrl: { adr: content.adr, adrAckReq: false, ack: content.ack, fPending: false },
    fOpts: toHex(encodeMacCommands(commands, "down")),
    fPort: answer?.fPort ?? null,
    payload: answer?.payload ?? null,
    fCnt32,
  });
  return { phyPayload, commands };
}

/** Size of the PHYPayload that `composeDownlink` would make with room for everything. */
export function downlinkSizeBytes({ answer, commands }: DownlinkContent): number {
  const fOpts = Math.min(MAX_F_OPTS, encodeMacCommands(commands, "down").length);
  return EMPTY_FRAME + fOpts + (answer === null ? 0 : 1 + answer.payload.length);
}

/** The longest head of `commands` that fits into `room` bytes. */
function fitting(commands: readonly MacCommand[], room: number): readonly MacCommand[] {
  let list = commands;
  while (list.length > 0 && encodeMacCommands(list, "down").length > Math.min(room, MAX_F_OPTS))
    list = list.slice(0, -1);
  return list;
}
