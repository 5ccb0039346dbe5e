/** An incident: what an operator sees, takes and closes. One per device, kind and mode for as long as it is open. */
import type { Priority } from "../../protocols/device/kinds.ts";
import type { Mode } from "../../protocols/device/report.ts";
import type { Stage } from "../../protocols/device/stage.ts";
import type { EventPlace, EventReception, EventRecord, EventState } from "../../protocols/event.ts";
import { EVENT_KINDS, type EventKind } from "../../protocols/hub-kinds.ts";
import type { Placement } from "../ledger/ledger.ts";

export type IncidentStage = "new" | "taken" | "dispatched" | "closed";

/** "equivocation" is the centre's own finding: a hub signed two records for one place in its sequence. */
export type IncidentKind = EventKind | "equivocation";

/** Something to know beside the stage; each is said once. */
export type Mark =
  | "gap"
  | "chainBroken"
  | "badTime"
  | "restart"
  | "bootBack"
  | "equivocation"
  | "unauthenticated"
  | "restored"
  | "cancelled"
  | "ended"
  | "escalated";

export interface RecordRef {
  readonly hub: string;
  readonly sequence: number;
  readonly hash: string;
  /** Ledger index. */
  readonly index: number;
}

/** Both ends included. */
export type Range = readonly [from: number, to: number];

export interface HistoryEntry {
  readonly type:
    | "opened"
    | "repeat"
    | "receptions"
    | "taken"
    | "dispatched"
    | "closed"
    | "note"
    | "escalated"
    | "restored"
    | "cancelled"
    | "ended"
    | "equivocation"
    | "chain";
  readonly atMs: number;
  /** The operator; null: the centre itself. */
  readonly by: string | null;
  readonly text: string | null;
  /** Records behind this line: repeats that follow each other share one. */
  readonly count: number;
  /** The event numbers that they brought. */
  readonly eventNumbers: readonly Range[];
}

export interface Incident {
  /** The ledger index of the entry that opened it. */
  readonly id: string;
  readonly kind: IncidentKind;
  readonly priority: Priority;
  readonly mode: Mode;
  readonly drill: string | null;
  readonly hub: string;
  /** DevEUI; null: the hub itself. */
  readonly device: string | null;
  /** From the centre's configuration; null when it has no name there. */
  readonly deviceName: string | null;
  readonly place: EventPlace;
  /** The newest one; `eventNumbers` has all. */
  readonly eventNumber: number | null;
  readonly eventNumbers: readonly Range[];
  readonly openedMs: number;
  readonly stage: IncidentStage;
  readonly owner: string | null;
  /** Of the first record: "stored" by the hub's clock, all others by the centre's. */
  readonly stageTimes: Partial<Record<Stage, number>>;
  readonly proof: {
    readonly signature: "verified";
    /** "pending": the record before it is not here yet. "gap": what the hub says about it does not fit. */
    readonly chain: "complete" | "gap" | "pending";
    readonly time: "good" | "uncertain";
    readonly equivocation: boolean;
  };
  readonly receptions: readonly EventReception[];
  /** The first record and the newest ones; `repeats` counts them all. */
  readonly records: readonly RecordRef[];
  readonly marks: readonly Mark[];
  readonly history: readonly HistoryEntry[];
  readonly repeats: number;
  /** A new event number came after somebody took it: shown until an act of the owner. */
  readonly unseen: boolean;
  /** How many escalation steps have passed. */
  readonly escalation: number;
  readonly cause: string | null;
  readonly state: EventState | null;
  readonly note: string | null;
}

/** What an operator does. `key` makes a repetition harmless: the same key is one act. */
export type Act = {
  readonly incident: string;
  readonly operator: string;
  readonly atMs: number;
  readonly key: string;
  readonly cause?: string;
  readonly text?: string;
} & { readonly type: "take" | "dispatch" | "close" | "note" };

/** What the centre itself found out; an entry of the ledger. */
export type Fact =
  | {
      readonly type: "hubLost";
      readonly hub: string;
      readonly hubName: string;
      readonly atMs: number;
      readonly lastSeenMs: number;
    }
  | { readonly type: "hubBack"; readonly hub: string; readonly atMs: number }
  | { readonly type: "escalated"; readonly incident: string; readonly level: number; readonly atMs: number };

/** A verified record as the ledger has it. */
export interface Arrival {
  readonly index: number;
  readonly event: EventRecord;
  readonly hash: string;
  readonly receivedMs: number;
  readonly placement: Placement;
  readonly badTime: boolean;
  /** It stands against another record of the same place. */
  readonly equivocation: boolean;
}

/** A contradiction has no place in the chain. */
export const NOT_PLACED: Placement = { afterGap: false, chain: "broken", boot: "same", successor: null };

/** By the tables of the protocol. */
export function priorityOf(kind: IncidentKind): Priority {
  return kind === "equivocation" ? "life" : EVENT_KINDS[kind].priority;
}

const PRIORITY_ORDER: Record<Priority, number> = { life: 0, intrusion: 1, fault: 2, info: 3 };
const STAGE_ORDER: Record<IncidentStage, number> = { new: 0, taken: 1, dispatched: 1, closed: 2 };

/** The order of the queue: every real incident before any drill or test; open before closed; by priority; untaken first; a
 *  contradiction before all of its priority; oldest first. A total order: only an incident itself compares as 0. */
export function compareIncidents(a: Incident, b: Incident): number {
  return (
    Number(a.mode !== "real") - Number(b.mode !== "real") ||
    Number(a.stage === "closed") - Number(b.stage === "closed") ||
    PRIORITY_ORDER[a.priority] - PRIORITY_ORDER[b.priority] ||
    STAGE_ORDER[a.stage] - STAGE_ORDER[b.stage] ||
    Number(a.kind !== "equivocation") - Number(b.kind !== "equivocation") ||
    a.openedMs - b.openedMs ||
    compareIds(a.id, b.id)
  );
}

/** Ids are ledger indices, so the shorter one is older. */
function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : Number(a > b));
}
