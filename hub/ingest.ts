/** From authenticated uplinks to records. Each press becomes one event, however often and on whatever way it is said
 *  again; what authenticates but cannot be understood becomes a fault; nothing is dropped in silence. */
import { MODES, type Mode, REPORT_FPORT, type Report } from "../protocols/device/report.ts";
import { encodeStage, STAGE_FPORT, STAGES, type Stage } from "../protocols/device/stage.ts";
import type { EventPlace } from "../protocols/event.ts";
import type { Clock } from "./clock.ts";
import {
  eventKey,
  eventsOf,
  flagsOf,
  isAlarm,
  judgeEvent,
  judgeHeartbeat,
  type KnownEvent,
  mayBeOld,
  readReport,
} from "./device-events.ts";
import { type DeviceState, loadDeviceTable } from "./device-table.ts";
import { eventReception, hubDraft, moreReceptions, reportDraft, unreadableDraft } from "./drafts.ts";
import type { EventDraft, Journal, UplinkCounter } from "./journal/journal.ts";
import { createLateReceptions } from "./late-receptions.ts";
import type { Acceptance, Uplink, UplinkSink } from "./lorawan/sink.ts";
import { createRecall } from "./recall.ts";

export interface IngestOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  /** The hub's best word on the time; left out, the clock's. */
  unixMs?(): number;
  /** What the hub's configuration says of a device; undefined for one that was removed meanwhile. */
  device(devEui: string): { readonly place: EventPlace; readonly allowModes: readonly Mode[] } | undefined;
  /** An event's stage rose: its device may be told now, and whoever watches. */
  onStage(event: KnownEvent): void;
  /** A write that nobody waits for was refused. */
  onTrouble(error: unknown): void;
}

export interface Ingest extends Omit<UplinkSink, "notice"> {
  /** A verified receipt says how far the record with this sequence has come. */
  raise(sequence: number, stage: Stage): void;
  /** The same for all records up to and including `sequence`. */
  raiseAll(sequence: number, stage: Stage): void;
  forget(devEui: string): void;
  readonly counters: Readonly<Record<IngestCounter, number>>;
}

type IngestCounter = "events" | "repeats" | "heartbeats" | "unreadable" | "lostPresses" | "lateReceptions";

/** Repeats of one event that are recorded as evidence; later ones are counted. */
const MAX_REPEAT_RECORDS = 5;
/** A stage goes down with so many heartbeats' answers at most: any one of them may be lost. */
const MAX_TELLINGS = 3;
/** Unreadable frames of one device that are recorded between two that are read; later ones are counted. */
const MAX_UNREADABLE_RECORDS = 8;

interface NewEvent {
  readonly state: DeviceState;
  readonly drafts: readonly EventDraft[];
  readonly report: Report;
  readonly mode: Mode;
  readonly counter: UplinkCounter;
}

const IMPLICIT_PLACE: EventPlace = { site: "", zone: "" };
const LAZY: Acceptance = { hold: false, durable: false };
const DURABLE: Acceptance = { hold: false, durable: true };

/** Settles when the memory of earlier runs is loaded. */
export async function createIngest(options: IngestOptions): Promise<Ingest> {
  const { journal } = options;
  const table = await loadDeviceTable(journal);
  const late = createLateReceptions(options);
  const recall = createRecall({ journal, unixMs: options.unixMs ?? options.clock.wallMs });
  const counters: Record<IngestCounter, number> = {
    events: 0,
    repeats: 0,
    heartbeats: 0,
    unreadable: 0,
    lostPresses: 0,
    lateReceptions: 0,
  };

  async function acceptHeartbeat(
    uplink: Uplink,
    report: Report,
    counter: UplinkCounter,
  ): Promise<Acceptance> {
    counters.heartbeats++;
    const state = table.state(uplink.devEui);
    state.answerDue = tellAgain(state.asked, report.eventNumber);
    const first = state.highest === null;
    const news = judgeHeartbeat(state, report);
    const flags = flagsOf(report);
    if (news === null && flags === state.flags) return LAZY;
    const drafts: EventDraft[] = [];
    const { place, mode, note } = recordedAs(uplink.devEui, report);
    if (flags !== state.flags || news?.restarted) {
      const jump = news?.restarted
        ? `event numbers go on from ${report.eventNumber} after ${state.highest}`
        : null;
      drafts.push(reportDraft(uplink, report, { place, mode, note: jump ?? note }));
    }
    if (news?.lost && !first) drafts.push(lostPress(uplink, news.lost, place));
    await storeWith(state, news?.highest ?? state.highest, flags, () => table.store(state, drafts, counter));
    return DURABLE;
  }

  function lostPress(uplink: Uplink, [from, to]: readonly [number, number], place: EventPlace): EventDraft {
    counters.lostPresses++;
    const numbers = from === to ? `event ${from}` : `events ${from} to ${to}`;
    return hubDraft("lostPress", `${numbers} never heard`, { device: uplink.devEui, eventNumber: to, place });
  }

  /** The mode is the device's own word, unless it may not say it: then the event counts as real. */
  function recordedAs(devEui: string, report: Report) {
    const device = options.device(devEui);
    const allowed = device?.allowModes ?? MODES;
    const fits = allowed.includes(report.mode);
    const note = fits ? null : `the device says ${report.mode}, which is not allowed for it`;
    return { place: device?.place ?? IMPLICIT_PLACE, mode: fits ? report.mode : ("real" as const), note };
  }

  async function acceptEvent(uplink: Uplink, report: Report, counter: UplinkCounter): Promise<Acceptance> {
    const state = table.state(uplink.devEui);
    const { mode } = recordedAs(uplink.devEui, report);
    const verdict = judgeEvent(state, report, mode);
    if (verdict.type === "repeat") {
      // A repeat may come while its first frame is still being stored; if that is refused, it is the first.
      if (await verdict.event.stored) return acceptRepeat(uplink, verdict.event, counter);
      return acceptEvent(uplink, report, counter);
    }
    const { eventNumber, kind, ageS } = report;
    const name = { devEui: uplink.devEui, eventNumber, kind, mode };
    const old = mayBeOld(state, report) ? await recall(name, ageS) : null;
    return old === null ? acceptNew(uplink, report, counter) : acceptRepeat(uplink, old, counter);
  }

  async function acceptNew(uplink: Uplink, report: Report, counter: UplinkCounter): Promise<Acceptance> {
    const state = table.state(uplink.devEui);
    const { place, mode, note } = recordedAs(uplink.devEui, report);
    const verdict = judgeEvent(state, report, mode);
    // another copy of the same news has come while the journal was asked
    if (verdict.type === "repeat") return acceptEvent(uplink, report, counter);
    const restart = verdict.restarted
      ? `numbers go on from ${report.eventNumber} after ${state.highest}`
      : null;
    const drafts = [reportDraft(uplink, report, { place, mode, note: note ?? restart })];
    if (verdict.lost !== null) drafts.push(lostPress(uplink, verdict.lost, place));
    const event = await storeWith(state, verdict.highest, flagsOf(report), () =>
      keep(uplink, { state, drafts, report, mode, counter }),
    );
    counters.events++;
    ask(state, event);
    return { hold: isAlarm(event), durable: true };
  }

  /** Known from now on, so that a repeat finds it even while it is being stored; forgotten again if it is refused. */
  async function keep(
    uplink: Uplink,
    { state, drafts, report, mode, counter }: NewEvent,
  ): Promise<KnownEvent> {
    const { eventNumber, kind } = report;
    const decided = Promise.withResolvers<boolean>();
    const event: KnownEvent = {
      devEui: uplink.devEui,
      eventNumber,
      kind,
      mode,
      stage: "stored",
      sequence: null,
      stored: decided.promise,
      repeats: 0,
      tellings: 0,
    };
    const key = eventKey(eventNumber, kind, mode);
    const events = eventsOf(state);
    const before = events.get(key);
    events.set(key, event);
    late.expect(uplink.frameHash, event);
    try {
      const [record] = await table.store(state, drafts, counter);
      event.sequence = record?.sequence ?? null;
    } catch (error) {
      if (before === undefined) events.delete(key);
      else events.set(key, before);
      decided.resolve(false);
      throw error;
    }
    if (before !== undefined) table.close(before);
    table.remember(state, event);
    decided.resolve(true);
    return event;
  }

  async function acceptRepeat(
    uplink: Uplink,
    event: KnownEvent,
    counter: UplinkCounter,
  ): Promise<Acceptance> {
    counters.repeats++;
    ask(table.state(uplink.devEui), event);
    const hold = isAlarm(event) && event.stage === "stored";
    // Once the centre has it, a repeat is the device's question how far it is, and no evidence.
    if (event.stage !== "stored" || event.repeats >= MAX_REPEAT_RECORDS) return { hold, durable: false };
    event.repeats++;
    const receptions = uplink.receptions.map(eventReception);
    await journal.append(
      moreReceptions(event, uplink.frameHash, receptions, `repeat ${event.repeats}`),
      counter,
    );
    return { hold: isAlarm(event) && event.stage === "stored", durable: true };
  }

  async function acceptUnreadable(uplink: Uplink, why: string, counter: UplinkCounter): Promise<Acceptance> {
    counters.unreadable++;
    const state = table.state(uplink.devEui);
    if (state.unreadable >= MAX_UNREADABLE_RECORDS) return LAZY;
    const place = options.device(uplink.devEui)?.place ?? IMPLICIT_PLACE;
    await journal.append(unreadableDraft(uplink, place, why), counter);
    state.unreadable++;
    return DURABLE;
  }

  function rise(event: KnownEvent, stage: Stage): void {
    if (STAGES.indexOf(stage) <= STAGES.indexOf(event.stage)) return;
    event.stage = stage;
    event.tellings = 0;
    table.risen(event);
    if (stage === "closed") table.close(event);
    const state = table.state(event.devEui);
    // News of an older event must not displace the answer to the one the device asks for.
    if (state.asked === null || (event.sequence ?? 0) >= (state.asked.sequence ?? 0)) ask(state, event);
    options.onStage(event);
  }

  return {
    counters,
    async accept(uplink, counter) {
      if (uplink.fPort !== REPORT_FPORT) return acceptUnreadable(uplink, "no such port", counter);
      const report = readReport(uplink.payload);
      if (typeof report === "string") return acceptUnreadable(uplink, report, counter);
      table.state(uplink.devEui).unreadable = 0;
      return report.kind === "heartbeat"
        ? acceptHeartbeat(uplink, report, counter)
        : acceptEvent(uplink, report, counter);
    },
    addReception(_devEui, frameHash, reception) {
      if (late.add(frameHash, reception)) counters.lateReceptions++;
    },
    answer(devEui) {
      const state = table.known(devEui);
      if (state === undefined || state.asked === null || !state.answerDue) return null;
      return { fPort: STAGE_FPORT, payload: encodeStage(state.asked) };
    },
    raise(sequence, stage) {
      const event = table.open.get(sequence);
      if (event !== undefined) rise(event, stage);
    },
    raiseAll(sequence, stage) {
      for (const [at, event] of table.unreceived) {
        if (at > sequence) break;
        rise(event, stage);
      }
    },
    forget: table.forget,
  };
}

/** Stores with the memory as it will be, so that what comes meanwhile is judged by it. A refusal puts the memory back, so
 *  that the next copy of the frame finds the same gap again; unless something newer has been judged since. */
async function storeWith<T>(
  state: DeviceState,
  highest: number | null,
  flags: number,
  store: () => Promise<T>,
): Promise<T> {
  const before = { highest: state.highest, flags: state.flags };
  state.highest = highest;
  state.flags = flags;
  try {
    return await store();
  } catch (error) {
    if (state.highest === highest && state.flags === flags) Object.assign(state, before);
    throw error;
  }
}

function ask(state: DeviceState, event: KnownEvent): void {
  state.asked = event;
  state.answerDue = true;
}

/** Whether a heartbeat's answer should carry the stage: it may be news to a device that did not hear it before. */
function tellAgain(asked: KnownEvent | null, eventNumber: number): boolean {
  if (asked === null || asked.eventNumber !== eventNumber || asked.tellings >= MAX_TELLINGS) return false;
  asked.tellings++;
  return true;
}
