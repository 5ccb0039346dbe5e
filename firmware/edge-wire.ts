/** The board's side of an RS-485 line on Serial1, behind a transceiver that finds its direction by itself: Espruino can
 *  neither drive a direction pin in time nor tell when its last byte has left. The UART stays open, for the hub may ask
 *  at any time. */
import { identity, now, storage } from "./board.ts";
import { keepSession, openCounts, SESSION_FILE } from "./link-store.ts";
import { DO, type Uplink, type UplinkEffect, type UplinkInput } from "./uplink.ts";

const counts = openCounts(storage);
let feed: (input: UplinkInput) => void;

/** Begins; what happens on the carrier's side goes to `take`. */
export function openEdge(take: (input: UplinkInput) => void): void {
  feed = take;
  Serial1.setup(38400, { rx: identity.profile.rx, tx: identity.profile.tx });
  Serial1.on("data", (text) => take({ nowMs: now(), text: text }));
  take({ nowMs: now(), count: counts.take(), kept: storage.read(SESSION_FILE) });
}

/** Obeys the effects of a step that are the carrier's own. */
export function obeyEdge(_uplink: Uplink, effects: readonly UplinkEffect[]): void {
  for (const effect of effects) {
    if (effect.do === DO.write) Serial1.write(effect.text);
    else if (effect.do === DO.keep) {
      keepSession(storage, effect.text);
      feed({ nowMs: now(), count: counts.take() });
    }
  }
}
