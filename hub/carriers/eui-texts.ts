/** Gateway EUIs as texts. */
import { toHex } from "../../protocols/lorawan/hex.ts";

export interface EuiTexts {
  /** A datagram's EUI, bytes 4 to 11, as 16 hex digits. */
  read(datagram: Uint8Array): string;
  /** Remembers the EUI of this datagram. Two that fall into one place are both read rightly, one of them slowly. */
  keep(datagram: Uint8Array, eui: string): void;
}

const START = 4;
const END = 12;

/** Each known EUI's text is made once: every table behind finds the same string at once, where one made anew for each
 *  datagram would be put together and hashed each time. */
export function createEuiTexts(): EuiTexts {
  const texts = new Map<number, { readonly high: number; readonly low: number; readonly eui: string }>();
  const word = (bytes: Uint8Array, at: number) =>
    ((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0);
  return {
    read(datagram) {
      const high = word(datagram, START);
      const low = word(datagram, START + 4);
      const known = texts.get(high ^ low);
      return known?.high === high && known.low === low ? known.eui : toHex(datagram, START, END);
    },
    keep(datagram, eui) {
      const high = word(datagram, START);
      const low = word(datagram, START + 4);
      texts.set(high ^ low, { high, low, eui });
    },
  };
}
