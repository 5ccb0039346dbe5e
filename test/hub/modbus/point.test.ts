/** Whatever a panel says in whatever order, with a disk that refuses and a hub that restarts. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { hubDraft } from "../../../hub/drafts.ts";
import { DiskRefused } from "../../../hub/journal/disk.ts";
import type { EventDraft, PointMemory } from "../../../hub/journal/journal.ts";
import { type BookOptions, openBook } from "../../../hub/modbus/book.ts";
import type { Condition } from "../../../hub/modbus/decode.ts";
import { CLEAR_MS, newsOf } from "../../../hub/modbus/point.ts";

const POINT = "0200000000000001";
const CONDITIONS: readonly Condition[] = [
  { key: "code 37", kind: "smoke", text: "fire" },
  { key: "code 40", kind: "smoke", text: "second detector" },
  { key: "code 9", kind: "callPoint", text: "call point" },
  { key: "code 214", kind: "fault", text: "line short" },
];

/** A journal that is as good as its disk. */
function diskOf() {
  const records: EventDraft[] = [];
  const open = new Map<string, PointMemory["open"][number]>();
  let lastNumber = 0;
  const disk = { isFull: false };
  const journal = {
    async appendAll(
      drafts: readonly EventDraft[],
      { points = [] } = {} as { points?: readonly PointChangeOf[] },
    ) {
      if (disk.isFull) throw new DiskRefused("full", "no space");
      const first = records.length + 1;
      records.push(...drafts);
      for (const change of points) {
        lastNumber = change.lastNumber;
        for (const name of change.ended) open.delete(name);
        for (const { name, kind, draft } of change.raised)
          open.set(name, { name, kind, sequence: first + draft });
      }
      return drafts.map((_, at) => ({ sequence: first + at }));
    },
    points: async () => [{ point: POINT, lastNumber, open: [...open.values()] }],
  } as unknown as BookOptions["journal"];
  return { disk, records, journal };
}
type PointChangeOf = NonNullable<Parameters<BookOptions["journal"]["appendAll"]>[1]>["points"] extends
  | readonly (infer Change)[]
  | undefined
  ? Change
  : never;

const step = fc.record({
  present: fc.subarray([...CONDITIONS]),
  isComplete: fc.boolean(),
  afterMs: fc.integer({ min: 100, max: 2 * CLEAR_MS }),
  isFull: fc.boolean(),
  restart: fc.boolean(),
});

test("each thing is said once while it lasts, its end when nothing of its kind is left, and what is said last is true", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { disk, records, journal } = diskOf();
      let nowMs = 0;
      const start = () => openBook({ journal, nowMs, trouble: () => undefined });
      let book = await start();
      const read = async (present: readonly Condition[], isComplete: boolean) => {
        const state = book.state(POINT);
        const { raised, ended, restored } = newsOf(state, { conditions: present, isComplete }, nowMs);
        const told = [
          ...raised.map(({ key: name, kind, text }) => ({
            draft: hubDraft(kind, text),
            begins: { name, kind },
          })),
          ...restored.map(({ kind, sequence }) => ({
            draft: hubDraft("restore", kind, { refersTo: sequence }),
            begins: null,
          })),
        ];
        if (raised.length > 0 || ended.length > 0)
          await book.write([{ state, told, ended, isNumbered: true }], nowMs);
      };
      for (const { present, isComplete, afterMs, isFull, restart } of steps) {
        disk.isFull = isFull;
        if (restart) book = await start();
        await read(present, isComplete);
        nowMs += afterMs;
      }
      disk.isFull = false;
      const last = steps.at(-1)?.present ?? [];
      for (let n = 0; n < 3; n++) {
        await read(last, true);
        nowMs += CLEAR_MS;
      }
      expect([...book.state(POINT).open.keys()].sort()).toEqual(last.map(({ key }) => key).sort());
      // numbers without a gap, whatever was refused
      expect(records.map(({ eventNumber }) => eventNumber)).toEqual(records.map((_, at) => at + 1));
      for (const [at, { kind, refersTo, note }] of records.entries()) {
        if (kind !== "restore") continue;
        const named = records[(refersTo ?? 0) - 1];
        expect([named?.kind, (refersTo ?? 0) - 1 < at]).toEqual([note, true]);
        // and nothing was restored twice without beginning again
        const before = records.slice(0, at).findLast((one) => one.kind === note || one.note === note);
        expect(before?.kind).toBe(note);
      }
    }),
    { numRuns: 300 },
  );
});
