/** Placement and time of a record as one integer, for its row. */
import type { Placement } from "./ledger.ts";

const BAD_TIME = 0x01;
const AFTER_GAP = 0x02;
const BROKEN = 0x04;
const PENDING = 0x08;
const RESTART = 0x10;
const BOOT_BACK = 0x20;
const SUCCESSOR_LINKED = 0x40;
const SUCCESSOR_BROKEN = 0x80;

export function packMarks(placement: Placement, badTime: boolean): number {
  return (
    (badTime ? BAD_TIME : 0) |
    (placement.afterGap ? AFTER_GAP : 0) |
    { linked: 0, broken: BROKEN, pending: PENDING }[placement.chain] |
    { same: 0, restart: RESTART, back: BOOT_BACK }[placement.boot] |
    (placement.successor === null
      ? 0
      : { linked: SUCCESSOR_LINKED, broken: SUCCESSOR_BROKEN }[placement.successor])
  );
}

export function unpackMarks(marks: number): { placement: Placement; badTime: boolean } {
  const has = (bit: number) => (marks & bit) !== 0;
  const placement: Placement = {
    afterGap: has(AFTER_GAP),
    chain: has(BROKEN) ? "broken" : has(PENDING) ? "pending" : "linked",
    boot: has(BOOT_BACK) ? "back" : has(RESTART) ? "restart" : "same",
    successor: has(SUCCESSOR_LINKED) ? "linked" : has(SUCCESSOR_BROKEN) ? "broken" : null,
  };
  return { placement, badTime: has(BAD_TIME) };
}
