/** What the hub's own broker says: retained states and one message per event. Pure: topics and JSON bodies out. */
import type { Priority } from "../protocols/device/kinds.ts";
import type { EventRecord } from "../protocols/event.ts";
import { EVENT_KINDS } from "../protocols/hub-kinds.ts";
import { deviceTopic, EVENT_TOPIC, HUB_STATE_TOPIC } from "../protocols/mqtt-topics.ts";
import type { KnownEvent } from "./device-events.ts";

export interface Announcement {
  readonly topic: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly retain: boolean;
  /** Of which event a device's state speaks. */
  readonly about?: StateSubject;
}

/** A device's retained state speaks of one event. */
export type StateSubject = Pick<KnownEvent, "kind" | "mode" | "stage" | "sequence">;

const URGENCY: Record<Priority, number> = { info: 0, fault: 1, intrusion: 2, life: 3 };

/** Whether what a device's retained state `shows` gives way to `next`: who looks later must find the open before the
 *  closed, the real before any exercise, the more urgent, then the newer. An event follows its own stages. */
export function givesWay(shows: StateSubject, next: StateSubject): boolean {
  if (shows.sequence === next.sequence) return true;
  const order = (one: StateSubject) => [
    Number(one.stage !== "closed"),
    Number(one.mode === "real"),
    URGENCY[EVENT_KINDS[one.kind].priority],
    one.sequence ?? 0,
  ];
  const before = order(shows);
  const differing = order(next).map((value, i) => value - (before[i] ?? 0));
  return (differing.find((difference) => difference !== 0) ?? 0) >= 0;
}

/** For one stored record: the event itself, and what it changes about its device. */
export function announceRecord(event: EventRecord): Announcement[] {
  const { sequence, device, eventNumber, kind, mode, drill, place, ageMs, time, state, refersTo, note } =
    event;
  const body = {
    sequence,
    device,
    eventNumber,
    kind,
    mode,
    drill,
    place,
    ageMs,
    unixMs: time.unixMs,
    state,
    refersTo,
    note,
  };
  const list: Announcement[] = [{ topic: EVENT_TOPIC, body, retain: false }];
  if (device === null) return list;
  if (kind === "deviceSilent" || kind === "deviceBack") {
    const available = kind === "deviceBack" ? "online" : "offline";
    list.push({ topic: deviceTopic("availability", device), body: { state: available }, retain: true });
  } else if (event.provenance !== "hub" && refersTo === null && state !== null) {
    list.push(deviceState(device, eventNumber, { kind, mode, stage: "stored", sequence }));
  }
  return list;
}

/** For an event whose stage rose. */
export function announceStage(event: KnownEvent): Announcement[] {
  const { devEui, kind, mode, eventNumber, stage, sequence } = event;
  return [deviceState(devEui, eventNumber, { kind, mode, stage, sequence })];
}

export function announceHub(state: Readonly<Record<string, unknown>>): Announcement {
  return { topic: HUB_STATE_TOPIC, body: state, retain: true };
}

function deviceState(device: string, eventNumber: number | null, about: StateSubject): Announcement {
  const { kind, mode, stage, sequence } = about;
  const body = { kind, mode, eventNumber, stage, sequence };
  return { topic: deviceTopic("state", device), body, retain: true, about };
}
