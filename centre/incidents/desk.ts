/** The incidents at work: feeds the board with what the ledger has, carries out its effects, keeps its shortcut for the next
 *  start. Whatever it is told is in the ledger already, so nothing here can be lost.                                    */
import type { EventRecord } from "../../protocols/event.ts";
import type { Clock } from "../clock.ts";
import type { Ledger, LedgerEntry } from "../ledger/ledger.ts";
import { flawOfAct } from "./acts.ts";
import { type Board, CLOSED_KEPT, createBoard, type Effect } from "./board.ts";
import { type Act, type Arrival, type Fact, type Incident, NOT_PLACED } from "./incident.ts";
import type { Stages } from "./stages.ts";

export type ActAnswer =
  | { readonly key: string; readonly ok: true; readonly incident: Incident }
  | { readonly key: string; readonly ok: false; readonly reason: string };

export interface DeskOptions {
  readonly ledger: Pick<
    Ledger,
    "appendAct" | "appendFact" | "entriesAfter" | "saveIncidents" | "loadIncidents" | "actsOf"
  >;
  readonly clock: Clock;
  readonly stages: Stages;
  /** Opens a record of the ledger again; null when it is not what it was, which the caller reports. */
  openRecord(hub: string, bytes: Uint8Array): EventRecord | null;
  onShow(incident: Incident, urgent: boolean): void;
  onError(error: Error): void;
}

export interface Desk {
  /** A durable record; answers the incident that it belongs to. */
  arrival(arrival: Arrival): string | null;
  /** Settles when the act is durable and done, or with the reason why it is not. */
  act(act: Act): Promise<ActAnswer>;
  fact(fact: Fact): void;
  incidentOf(hub: string, sequence: number): string | null;
  isHubLost(hub: string): boolean;
  get(id: string): Incident | undefined;
  all(): Incident[];
  /** Escalations that are due; saves the shortcut when it is time. To be called about once a second. */
  sweep(): void;
  /** Saves the shortcut now. */
  save(): Promise<void>;
}

/** The shortcut is saved this often, or after so many entries: a start replays no more than that. */
const SAVE_MS = 5_000;
const SAVE_ENTRIES = 10_000;
const REPLAY_PAGE = 2_000;
const ANSWERS_KEPT = 1_000;

/** Rebuilds the board from the ledger. */
export async function openDesk(options: DeskOptions): Promise<Desk> {
  const { ledger, clock, stages } = options;
  const { upTo, rows } = await ledger.loadIncidents(CLOSED_KEPT);
  const board = createBoard(
    rows.reverse().map(({ json }) => JSON.parse(json) as Incident),
    upTo,
  );
  const dirty = await replay(board, options);
  const answers = new Map<string, ActAnswer>();
  let saved = { upTo, atMs: clock.monotonicMs() };
  let saving: Promise<void> = Promise.resolve();

  function carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.do === "show") {
        dirty.set(effect.incident.id, effect.incident);
        options.onShow(effect.incident, effect.urgent);
      } else if (effect.do === "stage") {
        stages.announce(effect.incident, effect.stage, effect.records).catch(options.onError);
      } else if (effect.do === "fact") {
        fact(effect.fact);
      } else {
        const { do: _, ...answer } = effect;
        remember(answer);
      }
    }
  }

  function remember(answer: ActAnswer): void {
    answers.set(answer.key, answer);
    for (const oldest of answers.keys()) {
      if (answers.size <= ANSWERS_KEPT) return;
      answers.delete(oldest);
    }
  }

  function fact(given: Fact): void {
    ledger
      .appendFact(JSON.stringify(given))
      .then((index) => carryOut(board.step({ type: "fact", index, fact: given })), options.onError);
  }

  function act(given: Act): Promise<ActAnswer> {
    const { key } = given;
    const flaw = flawOfAct(given);
    if (flaw !== null) return Promise.resolve({ key, ok: false, reason: flaw });
    return ledger.appendAct(given.incident, key, JSON.stringify(given)).then(
      ({ index, fresh }) => {
        if (fresh) carryOut(board.step({ type: "act", index, act: given }));
        return answers.get(key) ?? answerAgain(given);
      },
      (error: Error) => ({ key, ok: false, reason: `The ledger does not take it: ${error.message}` }),
    );
  }

  /** The key is from before a restart: what became of it stands in the incident's history. */
  async function answerAgain({ key, incident }: Act): Promise<ActAnswer> {
    const kept = (await ledger.actsOf(incident))
      .map(({ json }) => JSON.parse(json) as Act)
      .find((one) => one.key === key);
    const now = board.get(incident);
    const done =
      now?.history.some((entry) => entry.atMs === kept?.atMs && entry.by === kept.operator) ?? false;
    return now !== undefined && done
      ? { key, ok: true, incident: now }
      : { key, ok: false, reason: "It was refused before." };
  }

  /** One at a time: who asks while one runs gets the next. */
  function save(): Promise<void> {
    saving = saving.then(saveNow, saveNow);
    return saving;
  }

  async function saveNow(): Promise<void> {
    const at = board.upTo;
    if (at === saved.upTo) return;
    const taken = [...dirty];
    dirty.clear();
    const before = saved;
    saved = { upTo: at, atMs: clock.monotonicMs() };
    const rows = taken.map(([id, incident]) => {
      return { id, open: incident.stage !== "closed", json: JSON.stringify(incident) };
    });
    try {
      await ledger.saveIncidents(at, rows);
    } catch (error) {
      // not lost: the next save writes what is newer, or a start replays the ledger
      for (const [id, incident] of taken) if (!dirty.has(id)) dirty.set(id, incident);
      saved = { ...before, atMs: clock.monotonicMs() };
      throw error;
    }
  }

  return {
    arrival(arrival) {
      carryOut(board.step({ type: "record", arrival }));
      return board.incidentOf(arrival.event.hub, arrival.event.sequence);
    },
    act,
    fact,
    incidentOf: board.incidentOf,
    isHubLost: board.isHubLost,
    get: board.get,
    all: board.all,
    sweep() {
      carryOut(board.step({ type: "tick", nowMs: clock.wallMs() }));
      const due = clock.monotonicMs() - saved.atMs >= SAVE_MS || board.upTo - saved.upTo >= SAVE_ENTRIES;
      if (due) save().catch(options.onError);
    },
    save,
  };
}

/** Steps through the entries since the shortcut; returns what they changed. Stage receipts that a crash may have swallowed are made again; the ledger keeps each once. */
async function replay(
  board: Board,
  { ledger, stages, openRecord }: DeskOptions,
): Promise<Map<string, Incident>> {
  const changed = new Map<string, Incident>();
  let after = board.upTo;
  for (;;) {
    const entries = await ledger.entriesAfter(after, REPLAY_PAGE);
    for (const entry of entries) {
      for (const effect of stepEntry(board, entry, openRecord)) {
        if (effect.do === "show") changed.set(effect.incident.id, effect.incident);
        else if (effect.do === "stage") await stages.announce(effect.incident, effect.stage, effect.records);
      }
    }
    const last = entries.at(-1);
    if (last === undefined || entries.length < REPLAY_PAGE) return changed;
    after = last.index;
  }
}

function stepEntry(board: Board, entry: LedgerEntry, openRecord: DeskOptions["openRecord"]): Effect[] {
  const { index } = entry;
  if (entry.type === "act") return board.step({ type: "act", index, act: JSON.parse(entry.json) as Act });
  if (entry.type === "fact") return board.step({ type: "fact", index, fact: JSON.parse(entry.json) as Fact });
  const { hash, receivedMs } = entry;
  const event = openRecord(entry.hub, entry.bytes);
  if (event === null) return [];
  const placed =
    entry.type === "record"
      ? { placement: entry.placement, badTime: entry.badTime, equivocation: false }
      : { placement: NOT_PLACED, badTime: false, equivocation: true };
  return board.step({ type: "record", arrival: { index, event, hash, receivedMs, ...placed } });
}
