import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CONTACT,
  type ContactEffect,
  type ContactTiming,
  contactDueMs,
  OPEN_CONTACT,
  stepContact,
} from "../../firmware/contact.ts";

const PRESS: ContactTiming = { holdMs: 60, releaseMs: 30, stuckMs: 30_000 };

/** Feeds edges and wakes the contact when it asks for it, until `endMs`. */
function live(
  edges: readonly { closed: boolean; atMs: number }[],
  endMs: number,
): (ContactEffect & { toldMs: number })[] {
  let contact = OPEN_CONTACT;
  let closed = false;
  const effects: (ContactEffect & { toldMs: number })[] = [];
  const sample = (atMs: number) => {
    const [next, told] = stepContact(contact, PRESS, { closed, atMs });
    contact = next;
    effects.push(...told.map((effect) => ({ ...effect, toldMs: atMs })));
  };
  for (const edge of [...edges, { closed: false, atMs: endMs }]) {
    for (let due = contactDueMs(contact, PRESS); due < edge.atMs; due = contactDueMs(contact, PRESS))
      sample(due);
    if (edge.atMs < endMs) closed = edge.closed;
    sample(edge.atMs);
  }
  return effects;
}

const named = (effects: readonly ContactEffect[]) =>
  effects.map((effect) => (Object.entries(CONTACT).find(([, id]) => id === effect.do) ?? [""])[0]);

describe("a press", () => {
  test("is told the moment 60 ms of hold are reached, not at its release", () => {
    const told = live(
      [
        { closed: true, atMs: 1000 },
        { closed: false, atMs: 5000 },
      ],
      9000,
    );
    expect(named(told)).toEqual(["held", "released"]);
    expect(told[0]).toMatchObject({ atMs: 1000, toldMs: 1060 });
    expect(told[1]).toMatchObject({ atMs: 5000, toldMs: 5030 });
  });

  test.each([1, 20, 40, 59])("a brush of %i ms means nothing", (forMs) => {
    expect(
      live(
        [
          { closed: true, atMs: 1000 },
          { closed: false, atMs: 1000 + forMs },
        ],
        9000,
      ),
    ).toEqual([]);
  });

  test("a contact that chatters under a thumb alarms once", () => {
    const chatter = Array.from({ length: 40 }, (_, i) => ({ closed: i % 2 === 0, atMs: 1000 + i * 7 }));
    expect(named(live(chatter, 9000))).toEqual(["held", "released"]);
  });

  test("that began and ended while the board was busy is judged by the times of its edges", () => {
    const late = (closed: boolean, atMs: number, contact = OPEN_CONTACT) =>
      stepContact(contact, PRESS, { closed, atMs });
    const [touched] = late(true, 100);
    expect(named(late(false, 170, touched)[1])).toEqual(["held"]);
    expect(named(late(false, 150, touched)[1])).toEqual([]);
  });

  test("that never ends is a fault after 30 s, once, while the press stands", () => {
    const told = live([{ closed: true, atMs: 0 }], 200_000).slice(0, 2);
    expect(named(told)).toEqual(["held", "stuck"]);
    expect(told[1]?.toldMs).toBe(30_000);
  });
});

test("every waveform of 13 steps of 10 ms: one alarm per closure of 60 ms, gaps below 30 ms apart, and one release each", () => {
  for (let wave = 0; wave < 1 << 13; wave++) {
    const levels = Array.from({ length: 13 }, (_, i) => ((wave >> i) & 1) === 1);
    const edges = levels.flatMap((closed, i) =>
      closed === (levels[i - 1] ?? false) ? [] : [{ closed, atMs: i * 10 }],
    );
    const trains: [number, number][] = [];
    levels.forEach((closed, i) => {
      const last = trains.at(-1);
      if (closed && last !== undefined && i * 10 - last[1] < PRESS.releaseMs) last[1] = i * 10 + 10;
      else if (closed) trains.push([i * 10, i * 10 + 10]);
    });
    const presses = trains.filter(([from, to]) => to - from >= PRESS.holdMs);
    // the last closure ends with the waveform
    const told = live([...edges, { closed: false, atMs: 130 }], 10_000);
    expect(named(told), levels.map(Number).join("")).toEqual(presses.flatMap(() => ["held", "released"]));
    expect(told.map(({ atMs }) => atMs)).toEqual(presses.flat());
  }
});

test("samples at any further moments change nothing", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 12 }),
      fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 20 }),
      (gaps, extra) => {
        const edges = gaps.map((_, i) => ({
          closed: i % 2 === 0,
          atMs: gaps.slice(0, i + 1).reduce((sum, gap) => sum + gap, 0),
        }));
        const levelAt = (ms: number) => edges.findLast((edge) => edge.atMs <= ms)?.closed ?? false;
        const dense = [...edges, ...extra.map((ms) => ({ closed: levelAt(ms), atMs: ms }))].sort(
          (a, b) => a.atMs - b.atMs,
        );
        const strip = (effects: readonly ContactEffect[]) =>
          effects.map(({ do: what, atMs: ms }) => ({ what, ms }));
        expect(strip(live(dense, 5000))).toEqual(strip(live(edges, 5000)));
      },
    ),
  );
});
