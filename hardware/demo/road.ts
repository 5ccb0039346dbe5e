/** The road of a press or an alarm, step by step as each happens: from the devices and the air to what the hub's broker
 *  says. A press begins with a hand; a sensor's alarm with its red light. */
import { REPORT_LENGTH } from "../../protocols/device/report.ts";
import type { Stage } from "../../protocols/device/stage.ts";
import { parseHubTopic } from "../../protocols/mqtt-topics.ts";
import type { Lamp } from "../virtual/board-lamp.ts";
import type { SiteEvent } from "../virtual/site-types.ts";
import type { EntranceEvent, SensorRole, StripStep } from "./entrance-site.ts";
import { type Standing, stepStanding, wordOf } from "./sensor-word.ts";

/** A press or an alarm that is being followed. */
export interface Road {
  readonly kind: "panic" | "smoke" | "heat";
  readonly sinceMs: number;
  /** Set by the hub's first word about it; later words must name the same event. */
  eventNumber: number | null;
  readonly done: Set<StripStep>;
}

export interface Follow {
  say(event: EntranceEvent): void;
  step(device: string, name: StripStep): void;
  wallMs(): number;
  readonly roads: Map<string, Road>;
  readonly sensors: ReadonlyMap<string, SensorRole>;
  /** Sensors whose red light is on. */
  readonly lit: Set<string>;
  /** By sensor. */
  readonly standing: Map<string, Standing>;
}

const KIND_OF_ROLE = { "smoke-sensor": "smoke", "heat-sensor": "heat" } as const;

const STEP_OF_STAGE: Readonly<Partial<Record<Stage, StripStep>>> = {
  received: "seal",
  taken: "operator",
  dispatched: "team",
  closed: "closed",
};

/** PHYPayload of a confirmed data uplink with one report in it: MHDR, FHDR without options, FPort, report, MIC. */
const REPORT_FRAME_LENGTH = 1 + 7 + 1 + REPORT_LENGTH + 4;

/** Takes what happened on the site. */
export function followSite(event: SiteEvent<Lamp>, follow: Follow): void {
  const { say, step, wallMs } = follow;
  if (event.type === "lamp") followLamp(event.devEui, event.lamp, follow);
  else if (event.type === "button") {
    if (event.pressed) begin(event.devEui, "panic", follow);
    say({ type: "button", device: event.devEui, down: event.pressed, atMs: wallMs() });
  } else if (event.type === "frame" && isReport(event.transmission)) step(event.transmission.from, "air");
  else if (event.type === "wireFrame" && isReport({ bytes: event.phyPayload })) step(event.devEui, "air");
  else if (event.type === "gateway" && event.event.type === "heard" && isReport(event.event.transmission)) {
    step(event.event.transmission.from, "gateway");
  }
}

function followLamp(device: string, lamp: Lamp, follow: Follow): void {
  const { say, sensors, lit, wallMs } = follow;
  const { red, amber, green, buzzer } = lamp;
  const role = sensors.get(device);
  if (role !== undefined && red && !lit.has(device)) {
    begin(device, KIND_OF_ROLE[role], follow);
    say({ type: "alarm", device, atMs: wallMs() });
  }
  if (red) lit.add(device);
  else lit.delete(device);
  say({ type: "lamp", device, levels: { red, amber, green, buzzer }, atMs: wallMs() });
}

function begin(device: string, kind: Road["kind"], { roads, wallMs }: Follow): void {
  roads.set(device, { kind, sinceMs: wallMs(), eventNumber: null, done: new Set() });
}

/** Takes a frame that has come whole to the other end of a wire. */
export function followWire(device: string, phyPayload: Uint8Array, { step }: Pick<Follow, "step">): void {
  if (isReport({ bytes: phyPayload })) step(device, "gateway");
}

function isReport({ bytes }: { bytes: Uint8Array }): boolean {
  return bytes.length >= REPORT_FRAME_LENGTH && (bytes[0] ?? 0) >> 5 === 0b100;
}

/** Takes a message of the hub's broker: `tugma/event` says that it is on the hub's disk; the device's retained state says
 *  which stage was verified. */
export function followHub(topic: string, payload: Uint8Array, follow: Follow): void {
  const parsed = parseHubTopic(topic);
  const isState = parsed?.type === "device" && parsed.channel === "state";
  if (parsed?.type !== "event" && !isState) return;
  const body = JSON.parse(Buffer.from(payload).toString("utf8"));
  const device: string | null = isState ? parsed.device : body.device;
  if (device === null) return;
  if (!isState) followSensor(device, body, follow);
  const road = follow.roads.get(device);
  if (road === undefined || body.kind !== road.kind) return;
  if (road.eventNumber === null && !isState) road.eventNumber = body.eventNumber;
  if (road.eventNumber !== body.eventNumber) return;
  const name = !isState ? "disk" : STEP_OF_STAGE[body.stage as Stage];
  if (name !== undefined) follow.step(device, name);
}

interface Stored {
  readonly kind: string;
  readonly state: { readonly detail: number } | null;
}

function followSensor(device: string, { kind, state }: Stored, follow: Follow): void {
  const { sensors, standing, say, wallMs } = follow;
  if (!sensors.has(device) || state === null) return;
  const before = standing.get(device) ?? new Set();
  const now = stepStanding(before, kind, state.detail);
  standing.set(device, now);
  const word = wordOf(now);
  if (word !== wordOf(before)) say({ type: "sensor", device, word, atMs: wallMs() });
}
