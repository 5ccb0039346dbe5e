/** The board's side of a modem on Serial1: obeys what its uplink asks of pins and UART. */
import { identity, now } from "./board.ts";
import { DO, PHASE, type Uplink, type UplinkEffect, type UplinkInput } from "./uplink.ts";
import { UART_BAUD } from "./uplink-rak3172.ts";

const RESET_MS = 100;
const POWER_OFF_MS = 3000;

const wired = identity.profile;
let isUartOpen = false;

/** Pulls a pin of the modem low for a while. */
function pull(pin: PinName | undefined, forMs: number): void {
  if (pin === undefined) return;
  digitalWrite(pin, 0);
  setTimeout(() => digitalWrite(pin, 1), forMs);
}

/** Begins; what happens on the carrier's side goes to `feed`. */
export function openEdge(feed: (input: UplinkInput) => void): void {
  for (const pin of [wired.modemReset, wired.modemPower]) if (pin !== undefined) digitalWrite(pin, 1);
  Serial1.on("data", (text) => feed({ nowMs: now(), text: text }));
}

/** Obeys the effects of a step that are the carrier's own; `uplink` is its state after it. */
export function obeyEdge(uplink: Uplink, effects: readonly UplinkEffect[]): void {
  const isNeeded = uplink.phase !== PHASE.idle;
  // an open UART costs an nRF52 1 mA
  if (isNeeded && !isUartOpen) Serial1.setup(UART_BAUD, { rx: wired.rx, tx: wired.tx });
  if (!isNeeded && isUartOpen) Serial1.unsetup();
  isUartOpen = isNeeded;
  for (const effect of effects) {
    if (effect.do === DO.write) Serial1.write(effect.text);
    else if (effect.do === DO.reset) pull(wired.modemReset, RESET_MS);
    else if (effect.do === DO.power) pull(wired.modemPower, POWER_OFF_MS);
  }
}
