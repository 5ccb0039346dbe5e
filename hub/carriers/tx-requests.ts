/** Downlinks that a gateway was asked to send and has not answered for yet, by token. */
import type { Clock, Timer } from "../clock.ts";
import type { SendResult } from "./carrier.ts";

/** A forwarder answers within milliseconds, or, when it could not read the request, never. */
export const TX_ACK_TIMEOUT_MS = 300;
/** With so many open, finding a free token takes long, and the gateways are gone anyway. */
const MAX_OPEN = 0x7fff;

export interface TxRequests {
  /** Sends by `transmit` under a fresh token; settles with the gateway's answer, or after 300 ms with "noAnswer". */
  ask(gateway: string, transmit: (token: number) => void): Promise<SendResult>;
  /** False when nobody asked this gateway under this token. */
  answer(gateway: string, token: number, result: SendResult): boolean;
  /** Settles everything with "noGateway". */
  close(): void;
}

interface Open {
  gateway: string;
  timer: Timer;
  settle(result: SendResult): void;
}

/** `random` gives unpredictable bytes, so that only the gateway that got the request can answer it. */
export function createTxRequests(clock: Clock, random: (bytes: number) => Uint8Array): TxRequests {
  const open = new Map<number, Open>();

  const freeToken = (): number => {
    for (;;) {
      const [high = 0, low = 0] = random(2);
      const token = (high << 8) | low;
      if (!open.has(token)) return token;
    }
  };
  return {
    ask(gateway, transmit) {
      if (open.size >= MAX_OPEN) return Promise.resolve("noGateway");
      const token = freeToken();
      return new Promise((resolve) => {
        const settle = (result: SendResult) => {
          open.get(token)?.timer.cancel();
          open.delete(token);
          resolve(result);
        };
        const timer = clock.setTimer(() => settle("noAnswer"), TX_ACK_TIMEOUT_MS);
        open.set(token, { gateway, timer, settle });
        transmit(token);
      });
    },
    answer(gateway, token, result) {
      const request = open.get(token);
      if (request === undefined || request.gateway !== gateway) return false;
      request.settle(result);
      return true;
    },
    close() {
      for (const request of [...open.values()]) request.settle("noGateway");
    },
  };
}
