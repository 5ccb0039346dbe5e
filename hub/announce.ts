/** What the hub's own broker says: retained states and one message per event. Pure: topics and JSON bodies out. */
import type { EventRecord } from "../protocols/event.ts";
import { deviceTopic, EVENT_TOPIC, HUB_STATE_TOPIC } from "../protocols/mqtt-topics.ts";
import type { KnownEvent } from "./device-events.ts";

export interface Announcement {
  readonly topic: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly retain: boolean;
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
    list.push(deviceState(device, { kind, mode, eventNumber, stage: "stored", sequence }));
  }
  return list;
}

/** For an event whose stage rose. */
export function announceStage(event: KnownEvent): Announcement[] {
  const { devEui, kind, mode, eventNumber, stage, sequence } = event;
  return [deviceState(devEui, { kind, mode, eventNumber, stage, sequence })];
}

export function announceHub(state: Readonly<Record<string, unknown>>): Announcement {
  return { topic: HUB_STATE_TOPIC, body: state, retain: true };
}

function deviceState(device: string, body: Readonly<Record<string, unknown>>): Announcement {
  return { topic: deviceTopic("state", device), body, retain: true };
}
