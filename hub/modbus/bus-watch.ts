/** The loss of a whole bus is one event, and its return another. */
import type { Clock } from "../clock.ts";
import { hubDraft } from "../drafts.ts";
import type { Book } from "./book.ts";
import type { OpenCondition } from "./point.ts";

export interface BusWatchOptions {
  readonly clock: Clock;
  readonly book: Book;
  readonly name: string;
  /** What the bus goes by in the book. */
  readonly eui: string;
}

export interface BusWatch {
  /** The line came up or went down. */
  line(isUp: boolean): void;
  stop(): Promise<void>;
}

/** An adapter that is plugged in again at once is no event. */
const BUS_LOST_MS = 5_000;
const LOST = "lost";

/** The bus counts as down until `line` says otherwise. */
export function watchBus({ clock, book, name, eui }: BusWatchOptions): BusWatch {
  const state = book.state(eui);
  let isUp = false;
  let closed = false;
  let writing: Promise<unknown> = Promise.resolve();
  let timer = clock.setTimer(look, BUS_LOST_MS);

  function look(): void {
    writing = writing.then(tell);
  }

  async function tell(): Promise<void> {
    const lost = state.open.get(LOST);
    if (closed || isUp !== (lost !== undefined)) return;
    const stored = await (lost === undefined ? say("busLost", []) : say("busBack", [lost]));
    // the disk refused it: the same is still to be said
    if (!stored) lookIn(BUS_LOST_MS);
  }

  /** The note is the bus: by it the centre knows which trouble is over. */
  function say(kind: "busLost" | "busBack", ended: readonly OpenCondition[]): Promise<boolean> {
    const begins = kind === "busLost" ? { name: LOST, kind } : null;
    const told = [{ draft: hubDraft(kind, name), begins }];
    return book.write([{ state, told, ended, isNumbered: false }], clock.monotonicMs());
  }

  function lookIn(ms: number): void {
    timer.cancel();
    if (!closed) timer = clock.setTimer(look, ms);
  }

  return {
    line(up) {
      isUp = up;
      lookIn(up ? 0 : BUS_LOST_MS);
    },
    async stop() {
      closed = true;
      timer.cancel();
      await writing;
    },
  };
}
