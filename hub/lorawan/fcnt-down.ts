/** FCntDown is reserved on stable storage in blocks before its first use. A counter used twice would use the AES-CTR
 *  keystream twice, and the device would not believe the second frame. */
import type { LiveSession } from "./session.ts";
import type { LorawanStore } from "./store.ts";

export const FCNT_DOWN_BLOCK = 32;
/** The next block is fetched when this few are left, so that an alarm never waits for the disk. */
const LOW = 8;
const MAX_FCNT = 0xffff_ffff;

/** The next FCntDown, or null while none is reserved. Never gives a value twice. */
export function takeFCntDown(session: LiveSession): number | null {
  const { state } = session;
  if (state.fCntDown >= state.fCntDownReserved || state.fCntDown > MAX_FCNT) return null;
  return state.fCntDown++;
}

/** Reserves the next block when the current one runs low. Settles when there is something to take; rejects with the
 *  store's error when there is not. Call only for a session that the store knows as the current one. */
export function reserveFCntDown(
  session: LiveSession,
  store: Pick<LorawanStore, "reserveFCntDown">,
): Promise<void> {
  const { state, device } = session;
  const left = state.fCntDownReserved - state.fCntDown;
  if (left < LOW && session.reserving === null) {
    const firstUnreserved = state.fCntDownReserved + FCNT_DOWN_BLOCK;
    session.reserving = store
      .reserveFCntDown(device.facts.devEui, firstUnreserved)
      .then(() => {
        state.fCntDownReserved = firstUnreserved;
      })
      .finally(() => {
        session.reserving = null;
      });
  }
  // what is left can be used meanwhile; a failed reservation then shows at the next call
  if (left > 0) {
    session.reserving?.catch(() => undefined);
    return Promise.resolve();
  }
  return session.reserving ?? Promise.resolve();
}
