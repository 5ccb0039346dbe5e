/** Counts numbered messages of several senders at their one consumer: every one once, each sender's in order. */

export interface Heard {
  readonly expected: number;
  readonly heard: number;
  readonly lost: number;
  readonly reordered: number;
}

export interface Tally {
  hear(sender: number, number: number): void;
  /** Settles when all were heard, or after `limitMs`. */
  done(limitMs: number): Promise<void>;
  count(): Heard;
}

/** Each sender numbers its messages 0 to `perSender` - 1. */
export function createTally(senders: number, perSender: number): Tally {
  const expected = senders * perSender;
  const last = new Array<number>(senders).fill(-1);
  const { promise, resolve } = Promise.withResolvers<void>();
  let heard = 0;
  let reordered = 0;
  return {
    hear(sender, number) {
      if (number !== (last[sender] ?? -1) + 1) reordered++;
      last[sender] = number;
      heard++;
      if (heard === expected) resolve();
    },
    async done(limitMs) {
      const timer = setTimeout(resolve, limitMs);
      await promise;
      clearTimeout(timer);
    },
    count: () => ({ expected, heard, lost: expected - heard, reordered }),
  };
}
