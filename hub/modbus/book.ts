/** What stands at every point, unit and bus: in memory as in the journal, and changed only by what the journal has taken.
 *  A refused write changes nothing, so that the next reading finds the same news again. */
import { EVENT_KINDS, type EventKind } from "../../protocols/hub-kinds.ts";
import type { EventDraft, Journal, PointChange } from "../journal/journal.ts";
import type { OpenCondition, PointState } from "./point.ts";

/** One record to be made, and what it begins. */
export interface Told {
  readonly draft: EventDraft;
  /** The condition that begins with it; null for what only says that something is over. */
  readonly begins: { readonly name: string; readonly kind: EventKind } | null;
}

/** All that is new at one point. */
export interface PointNews {
  readonly state: PointState;
  readonly told: readonly Told[];
  readonly ended: readonly OpenCondition[];
  /** Whether its records carry event numbers of the point. */
  readonly isNumbered: boolean;
}

export interface Book {
  state(point: string): PointState;
  /** Settles with false when the disk refused. */
  write(news: readonly PointNews[], nowMs: number): Promise<boolean>;
  /** What stands at points that are no longer polled: nobody would ever say that it is over. */
  forgetAllBut(points: ReadonlySet<string>): Promise<void>;
}

/** Points in one transaction, so that an alarm of another carrier never waits for a whole panel. */
const BATCH = 16;

export interface BookOptions {
  readonly journal: Pick<Journal, "appendAll" | "points">;
  readonly nowMs: number;
  /** Takes what the disk refused, and throws what it did not cause. */
  trouble(error: unknown): void;
}

export async function openBook({ journal, nowMs, trouble }: BookOptions): Promise<Book> {
  const states = new Map<string, PointState>();
  for (const { point, lastNumber, open } of await journal.points()) {
    const conditions = open.map((one) => [one.name, { ...one, seenMs: nowMs }] as const);
    states.set(point, { point, lastNumber, open: new Map(conditions) });
  }

  async function writeBatch(batch: readonly PointNews[], nowMs: number): Promise<void> {
    const drafts: EventDraft[] = [];
    const changes = batch.map((news): PointChange => {
      const { state, told, ended, isNumbered } = news;
      const first = drafts.length;
      const numbered = told.map(({ draft }, at) =>
        isNumbered ? { ...draft, eventNumber: state.lastNumber + 1 + at } : draft,
      );
      drafts.push(...numbered);
      return {
        point: state.point,
        lastNumber: state.lastNumber + (isNumbered ? told.length : 0),
        raised: told.flatMap(({ begins }, at) => (begins === null ? [] : [{ ...begins, draft: first + at }])),
        ended: ended.map(({ name }) => name),
      };
    });
    const records = await journal.appendAll(drafts, { points: changes });
    for (const [at, { state, ended }] of batch.entries()) {
      const change = changes[at];
      if (change === undefined) throw new Error("modbus: news without a change");
      state.lastNumber = change.lastNumber;
      for (const { name } of ended) state.open.delete(name);
      for (const { name, kind, draft } of change.raised)
        state.open.set(name, { name, kind, sequence: records[draft]?.sequence ?? 0, seenMs: nowMs });
    }
  }

  async function write(news: readonly PointNews[], nowMs: number): Promise<boolean> {
    const urgentFirst = [...news].sort((a, b) => urgencyOf(a) - urgencyOf(b));
    try {
      for (let at = 0; at < urgentFirst.length; at += BATCH)
        await writeBatch(urgentFirst.slice(at, at + BATCH), nowMs);
      return true;
    } catch (error) {
      trouble(error);
      return false;
    }
  }

  return {
    state(point) {
      let known = states.get(point);
      if (known === undefined) {
        known = { point, lastNumber: 0, open: new Map() };
        states.set(point, known);
      }
      return known;
    },
    write,
    async forgetAllBut(points) {
      const left = [...states.values()].filter(({ point, open }) => !points.has(point) && open.size > 0);
      if (left.length === 0) return;
      const news = left.map((state) => ({
        state,
        told: [],
        ended: [...state.open.values()],
        isNumbered: true,
      }));
      await write(news, nowMs);
    },
  };
}

const ORDER = { life: 0, intrusion: 1, fault: 2, info: 3 } as const;

function urgencyOf({ told }: PointNews): number {
  return Math.min(ORDER.info, ...told.map(({ draft }) => ORDER[EVENT_KINDS[draft.kind].priority]));
}
