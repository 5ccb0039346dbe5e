/** How long a downlink really takes to one gateway. A carrier's lead fits a good line; a gateway behind a slow one says
 *  TOO_LATE, and from then on gets its frames earlier, until it has been content for long. */
import type { SendResult } from "../carriers/carrier.ts";

export interface GatewayPath {
  /** Milliseconds to add to the carrier's lead. */
  readonly extraLeadMs: number;
  note(result: SendResult): void;
}

const STEP_MS = 30;
/** Half of RX1's delay: beyond it, give devices a longer delay at their join. */
const MAX_MS = 500;
const FADE = 0.98;

/** Starts without an addition. */
export function createGatewayPath(): GatewayPath {
  let extraMs = 0;
  return {
    get extraLeadMs() {
      return extraMs;
    },
    note(result) {
      if (result === "TOO_LATE") extraMs = Math.min(MAX_MS, extraMs + STEP_MS);
      else if (result === "queued") extraMs *= FADE;
    },
  };
}
