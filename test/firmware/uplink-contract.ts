/** What every uplink promises, whatever it talks to. A bench joins one uplink to its virtual partner and a network server. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { keepSession, openCounts, SESSION_FILE } from "../../firmware/link-store.ts";
import {
  DO,
  type Frame,
  PHASE,
  type Uplink,
  type UplinkDialect,
  type UplinkEffect,
  type UplinkInput,
} from "../../firmware/uplink.ts";
import { type BoardStorage, createBoardStorage } from "../../hardware/virtual/board-storage.ts";
import type { VirtualClock } from "../../hardware/virtual/clock.ts";
import { IDENTITY } from "./uplink-identity.ts";

export interface Heard {
  readonly port: number | null;
  readonly hex: string;
  readonly isConfirmed: boolean;
}

/** What a fault does to the partner; each carrier has its own way of it. */
export type Fault = "silent" | "reset" | "garbage" | "fragments" | "noAck" | "refuse";

/** The other end of an uplink. */
export interface Partner {
  readonly clock: VirtualClock;
  /** What the network server has heard. */
  heard(): readonly Heard[];
  /** Port and hex of the downlink that goes with each answer; null: none. */
  downlink: { readonly port: number; readonly hex: string } | null;
  /** silent: says and hears nothing · reset: restarts in the middle of the next frame, once · garbage: noise before
   *  whatever it says · fragments: bytes one by one · noAck: the answer is lost · refuse: it is busy. */
  setFault(fault: Fault, isOn: boolean): void;
  /** Bytes from the board. */
  write(text: string): void;
  onText(listener: (text: string) => void): void;
  /** Effects reset, power, connect and close. */
  obey?(effect: UplinkEffect, tell: (isConnected: boolean) => void): void;
  readonly tickMs?: number;
}

export interface Bench {
  readonly partner: Partner;
  readonly uplink: Uplink;
  /** News in the order of their coming: O on air, A acknowledged, N not, R port:hex received. */
  readonly news: string[];
  feed(input: Omit<UplinkInput, "nowMs">): void;
  /** Power is gone: nothing more is said or heard. */
  stop(): void;
  advance(ms: number): Promise<void>;
  /** Until the uplink takes a frame. */
  ready(limitMs?: number): Promise<boolean>;
  /** Hands over a frame and waits until the uplink is idle again. */
  send(frame: Frame): Promise<string[]>;
  /** As the core does it: hands the frame over whenever the uplink is idle, until it is acknowledged. */
  deliver(frame: Frame, limitMs?: number): Promise<boolean>;
}

export const CONFIRMED: Frame = { port: 2, hex: "2200000100006401", isConfirmed: true, dataRate: -1 };
export const UNCONFIRMED: Frame = { ...CONFIRMED, isConfirmed: false };
const STAGE = { port: 2, hex: "21020001" };

/** Between the quiet moments of a board that has nothing to do. */
const QUIET_MS = 1000;
const LONG_MS = 1e9;

/** A board that has only an uplink: obeys effects as the edges do, and keeps time. */
export function createBench<U extends Uplink>(
  dialect: UplinkDialect<U>,
  partner: Partner,
  storage: BoardStorage = createBoardStorage(),
): Bench {
  const { clock } = partner;
  const counts = openCounts(storage);
  let isOn = true;
  let uplink = dialect.createUplink(IDENTITY, clock.monotonicMs());
  let timer = clock.setTimer(() => undefined, 0);
  const news: string[] = [];
  const note = (effect: UplinkEffect) => {
    if (effect.do === DO.onAir) news.push("O");
    else if (effect.do === DO.answered) news.push(effect.isAcked ? "A" : "N");
    else if (effect.do === DO.received) news.push(`R ${effect.port}:${effect.hex.toLowerCase()}`);
  };
  const feed: Bench["feed"] = (input) => {
    if (!isOn) return;
    const [next, effects] = dialect.stepUplink(uplink, { ...input, nowMs: clock.monotonicMs() }, 0.5);
    uplink = next;
    for (const effect of effects) {
      if (!isOn) return;
      note(effect);
      if (effect.do === DO.write) partner.write(effect.text);
      else if (effect.do === DO.keep) {
        keepSession(storage, effect.text);
        feed({ count: counts.take() });
      } else partner.obey?.(effect, (isConnected) => feed({ isConnected }));
    }
    timer.cancel();
    const dueMs = uplink.dueMs - clock.monotonicMs();
    timer = clock.setTimer(() => feed({}), Math.min(Math.max(1, dueMs), LONG_MS));
  };
  partner.onText((text) => feed({ text }));
  feed({ count: counts.take(), kept: storage.read(SESSION_FILE) });
  const calm = () => {
    if (!isOn) return;
    clock.setTimer(calm, QUIET_MS);
    feed({ isQuiet: uplink.phase === PHASE.idle });
  };
  clock.setTimer(calm, QUIET_MS);
  const bench: Bench = {
    partner,
    get uplink() {
      return uplink;
    },
    news,
    feed,
    stop: () => {
      isOn = false;
      timer.cancel();
    },
    advance: clock.advance,
    ready: (limitMs = 60_000) => clock.runUntil(() => uplink.phase === PHASE.idle, limitMs),
    async send(frame) {
      const from = news.length;
      expect(await bench.ready()).toBe(true);
      feed({ frame });
      await clock.runUntil(() => uplink.phase !== PHASE.idle, 10);
      await bench.ready();
      await clock.advance(400);
      return news.slice(from);
    },
    async deliver(frame, limitMs = 400_000) {
      const untilMs = clock.monotonicMs() + limitMs;
      const from = news.length;
      while (!news.slice(from).includes("A") && clock.monotonicMs() < untilMs) {
        if (!(await bench.ready(untilMs - clock.monotonicMs()))) break;
        feed({ frame });
        await clock.advance(10);
        await bench.ready(30_000);
        await clock.advance(3000);
      }
      return news.slice(from).includes("A");
    },
  };
  return bench;
}

/** Letters of the news, without what was received. */
function grammarOf(news: readonly string[]): string {
  return news.map((word) => word[0]).join("");
}

/** Runs the contract. `make` gives a bench whose partner is there and healthy. */
export function describeUplink(name: string, make: (seed?: number) => Promise<Bench>): void {
  describe(`the uplink over ${name}`, () => {
    const ready = async () => {
      const bench = await make();
      expect(await bench.ready()).toBe(true);
      return bench;
    };

    test("joins by itself and then takes frames", async () => {
      const bench = await make();
      expect(bench.uplink.phase).not.toBe(PHASE.idle);
      expect(await bench.ready()).toBe(true);
      expect(bench.news).toEqual([]);
    });

    test("a confirmed frame: on air, then acknowledged, and heard as it was given", async () => {
      const bench = await ready();
      expect(await bench.send(CONFIRMED)).toEqual(["O", "A"]);
      expect(bench.partner.heard()).toMatchObject([{ port: 2, hex: CONFIRMED.hex, isConfirmed: true }]);
    });

    test("an unconfirmed frame is over without an acknowledgement", async () => {
      const bench = await ready();
      expect(await bench.send(UNCONFIRMED)).toEqual(["O", "N"]);
      expect(bench.partner.heard()).toMatchObject([{ hex: CONFIRMED.hex, isConfirmed: false }]);
    });

    test("a downlink comes after the end of the frame it answers", async () => {
      const bench = await ready();
      bench.partner.downlink = STAGE;
      expect(await bench.send(CONFIRMED)).toEqual(["O", "A", "R 2:21020001"]);
      expect(await bench.send(UNCONFIRMED)).toEqual(["O", "N", "R 2:21020001"]);
    });

    test("a frame whose acknowledgement is lost ends without one, and the next is taken", async () => {
      const bench = await ready();
      bench.partner.setFault("noAck", true);
      expect(await bench.send(CONFIRMED)).toEqual(["O", "N"]);
      bench.partner.setFault("noAck", false);
      expect(await bench.send(CONFIRMED)).toEqual(["O", "A"]);
    });

    test.each(["refuse", "silent"] as const)(
      "a partner that is %s for a while loses nothing",
      async (fault) => {
        const bench = await ready();
        bench.partner.setFault(fault, true);
        bench.feed({ frame: CONFIRMED });
        await bench.advance(20_000);
        expect(bench.news).not.toContain("A");
        bench.partner.setFault(fault, false);
        expect(await bench.deliver(CONFIRMED)).toBe(true);
      },
    );

    test("a partner that restarts in the middle of a frame loses nothing", async () => {
      const bench = await ready();
      bench.partner.setFault("reset", true);
      expect(await bench.deliver(CONFIRMED)).toBe(true);
      expect(bench.partner.heard().at(-1)).toMatchObject({ hex: CONFIRMED.hex });
    });

    test.each(["garbage", "fragments"] as const)("%s on the line loses nothing", async (fault) => {
      const bench = await make();
      bench.partner.setFault(fault, true);
      expect(await bench.deliver(CONFIRMED)).toBe(true);
    });

    test("an alarm during the join goes out once it is joined", async () => {
      const bench = await make();
      await bench.advance(350);
      bench.feed({ isAlarm: true });
      expect(await bench.deliver(CONFIRMED, 30_000)).toBe(true);
      expect(bench.news.slice(0, 2)).toEqual(["O", "A"]);
    });

    test("bytes that nobody understands change nothing", async () => {
      const bench = await ready();
      for (const noise of ["\0\0\0", "\xff".repeat(400), "+EVT:\r\nok ok\r\nmac_rx\r\n", "\x20\x02\0\0"]) {
        bench.feed({ text: noise });
        await bench.advance(1000);
      }
      expect(grammarOf(bench.news)).toMatch(/^R*$/);
      expect(await bench.deliver(CONFIRMED)).toBe(true);
    });

    test("whatever befalls the partner, each frame is told of in order, and the alarm gets through in the end", async () => {
      const fault = fc.constantFrom<Fault>("silent", "reset", "garbage", "fragments", "noAck", "refuse");
      const spell = fc.record({
        fault,
        forMs: fc.integer({ min: 10, max: 8000 }),
        pauseMs: fc.integer({ min: 0, max: 4000 }),
      });
      await fc.assert(
        fc.asyncProperty(
          fc.array(spell, { minLength: 1, maxLength: 4 }),
          fc.integer(),
          async (spells, seed) => {
            const bench = await make(seed);
            let atMs = 0;
            for (const { fault: what, forMs, pauseMs } of spells) {
              bench.partner.clock.setTimer(() => bench.partner.setFault(what, true), atMs + pauseMs);
              atMs += pauseMs + forMs;
              bench.partner.clock.setTimer(() => bench.partner.setFault(what, false), atMs);
            }
            expect(await bench.deliver(CONFIRMED, 3_600_000)).toBe(true);
            expect(grammarOf(bench.news)).toMatch(/^(R*O[AN]?R*)*$/);
          },
        ),
        { numRuns: 40 },
      );
    });
  });
}
