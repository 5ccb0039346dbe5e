/** Timers in order of due time; equal times keep their order of creation. The heart of a virtual clock. */

interface Entry {
  readonly dueMs: number;
  callback: (() => void) | null;
}

export interface TimerQueue {
  /** Timers neither taken nor cancelled. */
  readonly size: number;
  add(callback: () => void, dueMs: number): { cancel(): void };
  /** Takes out the next live timer due no later than `limitMs`. */
  takeDue(limitMs: number): { dueMs: number; callback: () => void } | undefined;
}

export function createTimerQueue(): TimerQueue {
  // latest first, so that the next timer is popped from the end; a cancelled entry stays until its time comes
  const entries: Entry[] = [];
  let size = 0;
  const finish = (entry: Entry) => {
    const { callback } = entry;
    if (callback !== null) size--;
    entry.callback = null;
    return callback;
  };
  return {
    get size() {
      return size;
    },
    add(callback, dueMs) {
      const entry: Entry = { dueMs, callback };
      entries.splice(placeOf(entries, dueMs), 0, entry);
      size++;
      return { cancel: () => void finish(entry) };
    },
    takeDue(limitMs) {
      for (let next = entries.at(-1); next !== undefined && next.dueMs <= limitMs; next = entries.at(-1)) {
        entries.pop();
        const callback = finish(next);
        if (callback !== null) return { dueMs: next.dueMs, callback };
      }
      return undefined;
    },
  };
}

/** Where a timer due at `dueMs` belongs in a list sorted latest first: before every entry due at the same time. */
function placeOf(entries: readonly Entry[], dueMs: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.dueMs ?? 0) > dueMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
