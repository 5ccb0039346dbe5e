/** Event numbers that survive power loss without a write on the way of an alarm.
 *
 *  Numbers are reserved ahead in blocks, and a reservation is on flash and read back before its first
 *  number is used. After a restart counting goes on at the end of the last reservation, so no number is
 *  ever used twice; the rest of that block is never used at all.
 *
 *  That jump must not look like presses that were lost: the first frame after a restart is a heartbeat
 *  that carries the number before the next one, with detail 1 = "restarted". It is sent confirmed and
 *  repeated until a hub has stored it. Supervision takes a jump that such a heartbeat announces as a
 *  restart, any other as lost presses. Only a press that came before the heartbeat got through goes first:
 *  then the jump is reported as a lost press, and the heartbeat that follows explains it.
 *
 *  The log (log.ts) has records of four digits: the end of the reserved range. */

export const NUMBER_LOGS = ["n0", "n1"] as const;
/** Numbers reserved at a time, and the stock below which the next block is reserved. */
export const NUMBER_BLOCK = 16;
export const NUMBER_STOCK = 8;
