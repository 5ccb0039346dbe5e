/** What a device can say. The id on the wire, the priority and both alarm-industry codes are written here and
 *  nowhere else. In the Espruino subset. Ids 1-31 travel in a Report; a new kind is one line here. */

interface Row {
  /** Report byte 0, bits 4-0. */
  readonly id: number;
  /** "life" and "intrusion" open an incident that calls a person; "fault" is trouble; "info" is kept only. */
  readonly priority: Priority;
  /** SIA DC-03 event code. */
  readonly sia: string;
  /** SIA DC-05 (Contact ID) event number, sent with qualifier 1 unless the kind is a restore. */
  readonly contactId: number;
}

export type Priority = "life" | "intrusion" | "fault" | "info";

export const KINDS = {
  heartbeat: { id: 1, priority: "info", sia: "RP", contactId: 602 },
  panic: { id: 2, priority: "life", sia: "PA", contactId: 120 },
  silentPanic: { id: 3, priority: "life", sia: "HA", contactId: 122 },
  duress: { id: 4, priority: "life", sia: "HA", contactId: 121 },
  smoke: { id: 5, priority: "life", sia: "FA", contactId: 111 },
  heat: { id: 6, priority: "life", sia: "KA", contactId: 114 },
  callPoint: { id: 7, priority: "life", sia: "FA", contactId: 115 },
  medical: { id: 8, priority: "life", sia: "MA", contactId: 100 },
  intrusion: { id: 9, priority: "intrusion", sia: "BA", contactId: 130 },
  tamper: { id: 10, priority: "intrusion", sia: "TA", contactId: 137 },
  technical: { id: 11, priority: "fault", sia: "GA", contactId: 151 },
  fault: { id: 12, priority: "fault", sia: "YX", contactId: 380 },
  restore: { id: 13, priority: "info", sia: "YZ", contactId: 380 },
  checkIn: { id: 14, priority: "info", sia: "RX", contactId: 601 },
  arm: { id: 15, priority: "info", sia: "CL", contactId: 401 },
  disarm: { id: 16, priority: "info", sia: "OP", contactId: 401 },
  cancel: { id: 17, priority: "info", sia: "OC", contactId: 406 },
  // Contact ID has "near alarm" (118). SIA DC-03 has no such word: FT (fire trouble) is what every receiver shows without
  // sending a brigade, which FA would do.
  preAlarm: { id: 18, priority: "fault", sia: "FT", contactId: 118 },
} as const satisfies Record<string, Row>;

export type Kind = keyof typeof KINDS;
/** Any row of the table. */
export type KindRow = (typeof KINDS)[Kind];

/** The kind with this wire id, or undefined: an unknown kind is raised as a fault by the hub, never dropped. */
export function kindOf(id: number): Kind | undefined {
  return (Object.keys(KINDS) as Kind[]).find((kind) => KINDS[kind].id === id);
}
