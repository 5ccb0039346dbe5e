/** What a hub says about itself and about its devices: the same row shape as KINDS, with ids from 32 on, which no Report
 *  can carry. A new kind is one line here. Rows that never leave the hub-centre road (more receptions …) carry the code
 *  of a plain status report, for receivers of the alarm industry that know no better word. */
import { KINDS, type Kind, type Priority } from "./device/kinds.ts";

interface Row {
  readonly id: number;
  readonly priority: Priority;
  /** SIA DC-03 event code. */
  readonly sia: string;
  /** SIA DC-05 (Contact ID) event number; qualifier 3 for the kinds that end another one. */
  readonly contactId: number;
}

export const HUB_KINDS = {
  hubStarted: { id: 32, priority: "info", sia: "RR", contactId: 305 },
  deviceSilent: { id: 33, priority: "fault", sia: "UY", contactId: 381 },
  deviceBack: { id: 34, priority: "info", sia: "UJ", contactId: 381 },
  /** Event numbers of a device skipped: a press that nobody heard, or numbers lost with its power. */
  lostPress: { id: 35, priority: "fault", sia: "YC", contactId: 355 },
  /** A recorded frame was sent again. It was refused. */
  replay: { id: 36, priority: "fault", sia: "ES", contactId: 145 },
  joinRefused: { id: 37, priority: "fault", sia: "JA", contactId: 461 },
  /** A flood of frames that do not authenticate. */
  badFrames: { id: 38, priority: "fault", sia: "JA", contactId: 461 },
  gatewayLost: { id: 39, priority: "fault", sia: "ET", contactId: 143 },
  gatewayBack: { id: 40, priority: "info", sia: "ER", contactId: 143 },
  /** One path to a centre. */
  pathDown: { id: 41, priority: "fault", sia: "YS", contactId: 350 },
  pathUp: { id: 42, priority: "info", sia: "YK", contactId: 350 },
  /** Many devices lost at once: somebody may be at work, so it calls a person. */
  jammingSuspected: { id: 43, priority: "intrusion", sia: "XQ", contactId: 344 },
  diskFault: { id: 44, priority: "fault", sia: "YX", contactId: 307 },
  diskRestored: { id: 45, priority: "info", sia: "YZ", contactId: 307 },
  clockStep: { id: 46, priority: "info", sia: "JT", contactId: 625 },
  /** Authenticated, but not understood: kept raw. */
  unreadable: { id: 47, priority: "fault", sia: "UT", contactId: 380 },
  /** Later copies of a frame whose event is already recorded. */
  moreReceptions: { id: 48, priority: "info", sia: "RP", contactId: 602 },
  /** No receipt came in time for a record. */
  receiptLost: { id: 49, priority: "fault", sia: "YC", contactId: 354 },
  /** A wired bus: its line or its adapter, with everything on it. */
  busLost: { id: 50, priority: "fault", sia: "ET", contactId: 333 },
  busBack: { id: 51, priority: "info", sia: "ER", contactId: 333 },
  /** Two devices answer on one address of a bus: neither can be relied on. */
  busConflict: { id: 52, priority: "fault", sia: "ET", contactId: 332 },
  /** Local sirens and strobes can no longer be switched. */
  annunciatorLost: { id: 53, priority: "fault", sia: "YA", contactId: 320 },
  annunciatorBack: { id: 54, priority: "info", sia: "YH", contactId: 320 },
  /** Something was asked of a device, or it said what became of it. */
  settings: { id: 55, priority: "info", sia: "YG", contactId: 306 },
} as const satisfies Record<string, Row>;

/** Everything a record can be about. */
export const EVENT_KINDS = { ...KINDS, ...HUB_KINDS } as const;

export type HubKind = keyof typeof HUB_KINDS;
export type EventKind = Kind | HubKind;

const BY_ID: ReadonlyMap<number, EventKind> = new Map(
  (Object.keys(EVENT_KINDS) as EventKind[]).map((kind) => [EVENT_KINDS[kind].id, kind]),
);

/** The kind with this id, or undefined. */
export function eventKindOf(id: number): EventKind | undefined {
  return BY_ID.get(id);
}
