/** Time on air. LoRa: Semtech SX1276 datasheet 4.1.1.7 / AN1200.13 with the explicit header that LoRaWAN uses.
 *  FSK: RP002-1.0.4 "Physical layer", GFSK framing. */

export interface LoraFrame {
  readonly sf: number;
  readonly bandwidthHz: number;
  /** The whole PHYPayload. */
  readonly payloadBytes: number;
  /** Payload CRC: LoRaWAN uplinks have one, downlinks have none. */
  readonly crc: boolean;
  readonly preambleSymbols?: number;
  /** 1 = 4/5 … 4 = 4/8. */
  readonly codingRate?: number;
}

/** Sync word and start-of-frame symbols behind the programmed preamble. */
const SYNC_SYMBOLS = 4.25;
/** Longer symbols need the low data rate optimisation (SX1276 datasheet 4.1.1.6): SF11 and SF12 at 125 kHz. */
const MAX_PLAIN_SYMBOL_MS = 16;

/** Milliseconds on air of one LoRa frame, not rounded. */
export function airtimeMs(frame: LoraFrame): number {
  const { sf, payloadBytes, crc, preambleSymbols = 8, codingRate = 1 } = frame;
  const symbolMs = 2 ** sf / (frame.bandwidthHz / 1000);
  const bitsPerSymbol = sf - (symbolMs > MAX_PLAIN_SYMBOL_MS ? 2 : 0);
  const bits = 8 * payloadBytes - 4 * sf + 28 + (crc ? 16 : 0);
  const payloadSymbols = 8 + Math.max(0, Math.ceil(bits / (4 * bitsPerSymbol))) * (codingRate + 4);
  return (preambleSymbols + SYNC_SYMBOLS + payloadSymbols) * symbolMs;
}

/** Preamble 5, sync word 3, length 1, CRC 2. */
const FSK_OVERHEAD_BYTES = 11;

/** Milliseconds on air of one (G)FSK frame of `payloadBytes`. */
export function fskAirtimeMs(payloadBytes: number, bitRateHz = 50_000): number {
  return ((FSK_OVERHEAD_BYTES + payloadBytes) * 8 * 1000) / bitRateHz;
}
