/** Incidents as the centre's core would send them, for pages without a core. */
import type { Incident, IncidentKind, Mark } from "../../centre/incidents/incident.ts";
import { priorityOf } from "../../centre/incidents/incident.ts";
import type { HubView, QuarantineView } from "../../centre/web-link.ts";
import type { Mode } from "../../protocols/device/report.ts";

export const HUB = "5a1f0c77e2b49d03";

export const PLACES = [
  { site: "Chilonzor, Bog‘iston mahallasi, Gulzor ko‘chasi, 14-uy", zone: "2-kirish" },
  { site: "Chilonzor, Bog‘iston mahallasi, Gulzor ko‘chasi, 16-uy", zone: "1-kirish" },
  { site: "Yunusobod, Minor mahallasi, Sohil ko‘chasi, 3-uy", zone: "1-kirish" },
  { site: "Yunusobod, Minor mahallasi, Sohil ko‘chasi, 5-uy", zone: "4-kirish, 37-xonadon" },
] as const;

export interface Wish {
  readonly id: string;
  readonly kind: IncidentKind;
  readonly mode?: Mode;
  readonly drill?: string;
  readonly place?: number;
  readonly openedMs: number;
  readonly repeats?: number;
  readonly marks?: readonly Mark[];
  readonly chain?: Incident["proof"]["chain"];
}

export function sampleIncident(wish: Wish): Incident {
  const { openedMs, mode = "real", place = 0, repeats = 0 } = wish;
  const eventNumber = 412 + Number(wish.id);
  const opened = { type: "opened", atMs: openedMs, by: null, text: null, count: 1 } as const;
  return {
    id: wish.id,
    kind: wish.kind,
    priority: priorityOf(wish.kind),
    mode,
    drill: wish.drill ?? null,
    hub: HUB,
    device: wish.kind === "pathDown" ? null : `ac1f09fffe0${String(place + 1).padStart(5, "0")}`,
    deviceName: wish.kind === "pathDown" ? null : `Tugma ${place + 1}`,
    place: PLACES[place] ?? PLACES[0],
    eventNumber,
    eventNumbers: [[eventNumber, eventNumber]],
    openedMs,
    stage: "new",
    owner: null,
    stageTimes: { stored: openedMs - 40, received: openedMs },
    proof: {
      signature: "verified",
      chain: wish.chain ?? "complete",
      time: "good",
      equivocation: wish.kind === "equivocation",
    },
    receptions: [
      { carrier: "semtech-udp", gateway: "a84041ffff2001aa", rssiDbm: -87, snrDb: 7.5, dataRate: 3 },
      { carrier: "semtech-udp", gateway: "a84041ffff2001ab", rssiDbm: -112, snrDb: -4, dataRate: 3 },
    ],
    records: [
      { hub: HUB, sequence: 1000 + Number(wish.id), index: 2000 + Number(wish.id), hash: "ab".repeat(32) },
    ],
    marks: wish.marks ?? [],
    history: [{ ...opened, eventNumbers: [[eventNumber, eventNumber]] }],
    repeats,
    unseen: false,
    escalation: 0,
    cause: null,
    state: null,
    note: null,
  };
}

/** One of each that the queue must keep apart, `agoS` before `nowMs`. */
export function sampleQueue(nowMs: number): Incident[] {
  const at = (agoS: number) => nowMs - agoS * 1000;
  return [
    sampleIncident({ id: "1", kind: "panic", place: 0, openedMs: at(12) }),
    sampleIncident({ id: "2", kind: "smoke", place: 3, openedMs: at(100), repeats: 3 }),
    sampleIncident({ id: "3", kind: "intrusion", place: 2, openedMs: at(44) }),
    sampleIncident({ id: "4", kind: "deviceSilent", place: 1, openedMs: at(1900), marks: ["restart"] }),
    sampleIncident({
      id: "5",
      kind: "panic",
      mode: "drill",
      drill: "Bog‘iston-3",
      place: 1,
      openedMs: at(300),
    }),
    sampleIncident({ id: "6", kind: "panic", mode: "test", place: 2, openedMs: at(30) }),
  ];
}

export function sampleHubs(nowMs: number): HubView[] {
  const common = { complete: 1006, head: 1006, gaps: [], revoked: false } as const;
  return [
    { ...common, id: HUB, name: "Bog‘iston", link: "up", lastSeenMs: nowMs },
    {
      ...common,
      id: "91c3aa0e44f7125b",
      name: "Minor",
      link: "down",
      lastSeenMs: nowMs - 95_000,
      head: 1010,
      gaps: [[1007, 1009]],
    },
  ];
}

export const NO_QUARANTINE: QuarantineView = { count: 0, items: [] };
