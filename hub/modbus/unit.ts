/** One polled unit: reads its blocks in turn, one after the other, for as long as the hub runs. Since nothing else asks
 *  the unit meanwhile, a register that selects what is read is nobody else's between the write and the read. */
import type { EventPlace } from "../../protocols/event.ts";
import type { Clock } from "../clock.ts";
import { hubDraft } from "../drafts.ts";
import type { Book, PointNews, Told } from "./book.ts";
import type { Failure, ModbusBus, Outcome } from "./bus.ts";
import type { UnitConfig } from "./config.ts";
import { decodePoint, type Reading, unread } from "./decode.ts";
import { apart, type Block, blocksOf, type PlannedPoint, valuesOf } from "./plan.ts";
import { newsOf, type PointState } from "./point.ts";
import type { Profile } from "./profile.ts";

export interface UnitOptions {
  readonly bus: ModbusBus;
  readonly busName: string;
  readonly config: UnitConfig;
  readonly profile: Profile;
  readonly book: Book;
  readonly clock: Clock;
  /** How many units of the bus are lost. */
  lostUnits(): number;
  /** Of the unit itself, and of a point by the panel's number. */
  eui(point?: number): string;
}

export interface PolledUnit {
  view(): UnitView;
  /** Settles when nothing is under way any more. */
  stop(): Promise<void>;
}

export interface UnitView {
  readonly name: string;
  readonly unit: number;
  readonly profile: string;
  readonly points: number;
  readonly isLost: boolean;
  readonly heardAgoMs: number | null;
  /** Points at which something is the matter. */
  readonly open: number;
}

/** Rounds in a row without an answer, or failures of a block in a row, before it is told. */
const MISSED = 3;
/** Reads in a row without an answer that end a round. */
const MUTE_READS = 2;
/** A unit that is lost is asked this often; of several on a bus each as many times less often, so that waiting for them
 *  never takes the line from those that answer. */
const LOST_POLL_MS = 5_000;
/** Acknowledged, busy, and the value that a panel still has to fetch (15, Bolid): asked again after 100, 200 … ms. */
const WAIT_AGAIN: readonly number[] = [5, 6, 15];
const WAITS = 5;
const FIRST_WAIT_MS = 100;
/** A gateway's word for a unit that does not answer it. */
const GATEWAY_SILENCE: readonly number[] = [10, 11];
/** What a register or function that is not there is answered with. */
const NOT_THERE: readonly number[] = [1, 2, 3];
const LOST = "lost";

interface PolledBlock extends Block {
  failures: number;
}

export function pollUnit(options: UnitOptions): PolledUnit {
  const { bus, config, profile, book, clock } = options;
  const own = book.state(options.eui());
  let blocks: PolledBlock[] = blocksOf(profile, config).map(fresh);
  let missedRounds = 0;
  let heardMs: number | null = null;
  let wake: (() => void) | null = null;
  let stopped = false;
  const pollMs = config.pollMs ?? profile.pollMs;
  const states = new Map(config.points.map(({ at }) => [at, book.state(options.eui(at))]));

  const isLost = () => own.open.has(LOST);

  function stateOf({ config: { at } }: PlannedPoint): PointState {
    const state = states.get(at);
    if (state === undefined) throw new Error(`modbus: no point ${at}`);
    return state;
  }

  async function run(): Promise<void> {
    while (!stopped) {
      const beganMs = clock.monotonicMs();
      if (bus.isUp) await round();
      const everyMs = isLost() ? Math.max(LOST_POLL_MS * Math.max(1, options.lostUnits()), pollMs) : pollMs;
      await pause(beganMs + everyMs - clock.monotonicMs());
    }
  }

  async function round(): Promise<void> {
    const failed: { block: PolledBlock; failure: Failure }[] = [];
    let answers = 0;
    for (const block of blocks) {
      const outcome = await readBlock(block);
      if (stopped || (!outcome.ok && outcome.failure.type === "line")) return;
      if (outcome.ok || !isSilence(outcome.failure)) {
        answers++;
        heardMs = clock.monotonicMs();
      }
      if (outcome.ok) await take(block, outcome.values);
      else failed.push({ block, failure: outcome.failure });
      if (answers === 0 && failed.length >= (isLost() ? 1 : MUTE_READS)) break;
    }
    missedRounds = answers === 0 ? missedRounds + 1 : 0;
    if (answers === 0) return missedRounds >= MISSED ? tell("deviceSilent") : undefined;
    await tell("deviceBack");
    for (const { block, failure } of failed) await miss(block, failure);
  }

  /** What is selected stays so while its value is waited for: nothing else asks this unit. */
  async function readBlock({ request, select }: Block): Promise<Outcome> {
    if (select !== null) {
      const selected = await patiently(() => bus.select(request.unit, select.address, select.value));
      if (!selected.ok) return selected;
    }
    return patiently(() => bus.read(request));
  }

  /** Waits where the unit asks for it. The bus is free for others meanwhile. */
  async function patiently(ask: () => Promise<Outcome>): Promise<Outcome> {
    for (let wait = 0; ; wait++) {
      const outcome = await ask();
      if (outcome.ok || outcome.failure.type !== "exception" || stopped) return outcome;
      if (!WAIT_AGAIN.includes(outcome.failure.exceptionCode) || wait === WAITS) return outcome;
      await pause(FIRST_WAIT_MS * 2 ** wait);
    }
  }

  async function take(block: PolledBlock, values: readonly number[]): Promise<void> {
    block.failures = 0;
    const nowMs = clock.monotonicMs();
    const news = block.points.flatMap((point) => {
      const own = valuesOf(profile, block, point, values);
      const state = stateOf(point);
      const reading = decodePoint(profile, point.config, own, (key) => state.open.has(key));
      return pointNews(point, reading, own, nowMs);
    });
    if (news.length > 0) await book.write(news, nowMs);
  }

  /** A read that failed while the unit answers others. A register that is not there must not hide its neighbours. */
  async function miss(block: PolledBlock, failure: Failure): Promise<void> {
    const isNotThere = failure.type === "exception" && NOT_THERE.includes(failure.exceptionCode);
    if (isNotThere && block.points.length > 1) {
      blocks = blocks.flatMap((one) => (one === block ? apart(profile, config, block).map(fresh) : [one]));
      return;
    }
    block.failures++;
    if (block.failures < MISSED) return;
    const nowMs = clock.monotonicMs();
    const reading = unread(`cannot be read: ${wordsFor(failure)}`);
    const news = block.points.flatMap((point) => pointNews(point, reading, [], nowMs));
    if (news.length > 0) await book.write(news, nowMs);
  }

  function pointNews(
    point: PlannedPoint,
    reading: Reading,
    values: readonly number[],
    nowMs: number,
  ): PointNews[] {
    const state = stateOf(point);
    const { raised, ended, restored } = newsOf(state, reading, nowMs);
    if (raised.length === 0 && ended.length === 0) return [];
    const { at, site = config.site, zone = config.zone ?? `${config.name} ${at}` } = point.config;
    const about = {
      device: state.point,
      place: { site, zone } satisfies EventPlace,
      provenance: "poller" as const,
      receptions: [reception(options)],
      raw: values.length === 0 ? null : values.map((value) => value.toString(16).padStart(4, "0")).join(""),
    };
    const told: Told[] = [
      ...raised.map(({ key: name, kind, text }) => ({
        draft: hubDraft(kind, `${config.name}, point ${at}: ${text} (${name})`, about),
        begins: { name, kind },
      })),
      ...restored.map(({ name, sequence }) => ({
        draft: hubDraft("restore", `${config.name}, point ${at}: over (${name})`, {
          ...about,
          refersTo: sequence,
        }),
        begins: null,
      })),
    ];
    return [{ state, told, ended, isNumbered: true }];
  }

  /** What the hub says of the unit itself; once, until it says the other. */
  async function tell(kind: "deviceSilent" | "deviceBack"): Promise<void> {
    const lost = own.open.get(LOST);
    if ((kind === "deviceSilent") === (lost !== undefined)) return;
    const how = lost === undefined ? "does not answer" : "answers again";
    const draft = hubDraft(kind, `${options.busName}, ${config.name}: unit ${config.unit} ${how}`, {
      device: own.point,
      place: { site: config.site, zone: config.zone ?? config.name },
    });
    const begins = lost === undefined ? { name: LOST, kind } : null;
    const ended = lost === undefined ? [] : [lost];
    await book.write(
      [{ state: own, told: [{ draft, begins }], ended, isNumbered: false }],
      clock.monotonicMs(),
    );
  }

  async function pause(ms: number): Promise<void> {
    if (stopped) return;
    await new Promise<void>((done) => {
      const timer = clock.setTimer(done, Math.max(0, ms));
      wake = () => {
        timer.cancel();
        done();
      };
    });
    wake = null;
  }

  const running = run();
  return {
    view: () => ({
      name: config.name,
      unit: config.unit,
      profile: config.profile,
      points: config.points.length,
      isLost: isLost(),
      heardAgoMs: heardMs === null ? null : Math.round(clock.monotonicMs() - heardMs),
      open: [...states.values()].filter(({ open }) => open.size > 0).length,
    }),
    async stop() {
      stopped = true;
      wake?.();
      await running;
    },
  };
}

function fresh(block: Block): PolledBlock {
  return { ...block, failures: 0 };
}

function isSilence(failure: Failure): boolean {
  return (
    failure.type === "timeout" ||
    (failure.type === "exception" && GATEWAY_SILENCE.includes(failure.exceptionCode))
  );
}

function wordsFor(failure: Failure): string {
  return failure.type === "exception" ? `exception ${failure.exceptionCode}` : "no answer";
}

function reception({ busName, config }: UnitOptions) {
  const gateway = `${busName}/${config.unit}`.slice(0, 64);
  return { carrier: "modbus", gateway, rssiDbm: null, snrDb: null, dataRate: null };
}
