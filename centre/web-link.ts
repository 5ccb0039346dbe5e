/** What the core and its web server (a child process) say to each other over the child's IPC channel. The core never waits for
 *  the web server, and the web server holds no key: it shows, and hands on what an operator does.
 *
 *    core → web   start, then snapshot, then changes · hubs · quarantine · status as they come; actResult, evidence as answers
 *    web → core   ready once it listens; act, changesSince, evidence                                                    */
import type { Act, Incident } from "./incidents/incident.ts";

/** What the child needs to begin; always the first message. */
export interface WebStart {
  readonly type: "start";
  /** The centre's data folder: users.sqlite is the child's own file in it. */
  readonly dir: string;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The centre's name, for titles. */
  readonly centre: string;
  readonly realm: string;
}

/** A hub as the console shows it. */
export interface HubView {
  readonly id: string;
  readonly name: string;
  /** "down" also before its first poll. */
  readonly link: "up" | "down";
  readonly lastSeenMs: number | null;
  /** Its records 1..complete are here. */
  readonly complete: number;
  /** The highest sequence known of it: by a record or by its poll. */
  readonly head: number;
  /** Missing ranges, both ends included; the first few. */
  readonly gaps: readonly (readonly [from: number, to: number])[];
  readonly revoked: boolean;
}

/** Something that came from a hub's connection and is no record. */
export interface QuarantineItem {
  readonly atMs: number;
  readonly hub: string;
  readonly code: string;
  readonly message: string;
  /** Hex of its first bytes. */
  readonly head: string;
}

export interface QuarantineView {
  /** Since the start, kept or not. */
  readonly count: number;
  /** Newest first. */
  readonly items: readonly QuarantineItem[];
}

/** The core's own health. */
export interface CentreStatus {
  /** Null while the ledger takes records. */
  readonly ledgerFault: string | null;
  readonly connections: number;
  readonly counters: Readonly<Record<string, number>>;
}

/** What an incident is now. */
export interface Change {
  readonly type: "change";
  /** Grows by one with each change; it starts anew with the core. */
  readonly cursor: number;
  readonly incident: Incident;
}

export type ToWeb =
  | WebStart
  | {
      readonly type: "snapshot";
      readonly cursor: number;
      readonly incidents: readonly Incident[];
      readonly hubs: readonly HubView[];
      readonly quarantine: QuarantineView;
      readonly status: CentreStatus;
    }
  | Change
  | { readonly type: "changes"; readonly changes: readonly Change[] }
  | { readonly type: "hubs"; readonly hubs: readonly HubView[] }
  | { readonly type: "quarantine"; readonly quarantine: QuarantineView }
  | { readonly type: "status"; readonly status: CentreStatus }
  | {
      readonly type: "actResult";
      readonly key: string;
      readonly ok: boolean;
      readonly reason?: string;
      readonly incident?: Incident;
    }
  /** `file` is base64; absent with a `reason`. */
  | { readonly type: "evidence"; readonly request: string; readonly file?: string; readonly reason?: string };

export type FromWeb =
  /** It listens. `loginLink` is there on the first start only, for the terminal. */
  | { readonly type: "ready"; readonly port: number; readonly loginLink?: string }
  | { readonly type: "act"; readonly act: Act }
  /** Answered with a snapshot. */
  | { readonly type: "changesSince"; readonly cursor: number; readonly request: string }
  | { readonly type: "evidence"; readonly incident: string; readonly request: string };
