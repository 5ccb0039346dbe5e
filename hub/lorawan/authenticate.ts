/** Whose frame is this? Several devices may share a DevAddr, and a neighbour's network may use it too: the MIC decides. */
import { verifyDataMic } from "../../protocols/lorawan/crypto.ts";
import type { DataHeader } from "../../protocols/lorawan/phy.ts";
import { type FCntMeaning, fCntMeanings } from "./fcnt.ts";
import { keysOf, type LiveSession } from "./session.ts";

export interface Authentic {
  readonly live: LiveSession;
  readonly meaning: FCntMeaning;
}

/** The session and counter whose key signed this uplink, or null. */
export function authenticate(
  candidates: readonly LiveSession[],
  frame: DataHeader,
  phyPayload: Uint8Array,
): Authentic | null {
  for (const live of candidates) {
    const { nwkSKey } = keysOf(live);
    for (const meaning of fCntMeanings(live.state.fCntUp, frame.fCnt16, live.device.facts.macVersion)) {
      if (verifyDataMic(nwkSKey, "up", phyPayload, meaning.fCntUp, phyPayload)) return { live, meaning };
    }
  }
  return null;
}
