/** The demo's site as the entrance page sees it: pins of the virtual boards, and the road of a press put together from
 *  where each step really happens: the air, the gateways, and what the hub says on its own broker. */
import { REPORT_LENGTH } from "../../protocols/device/report.ts";
import type { Stage } from "../../protocols/device/stage.ts";
import { parseHubTopic } from "../../protocols/mqtt-topics.ts";
import type { Lamp } from "../virtual/board-lamp.ts";
import type { Board } from "../virtual/board-types.ts";
import type { Site, SiteEvent } from "../virtual/site-types.ts";
import type { EntranceEvent, EntranceSite, SiteSwitch, StripStep, SwitchName } from "./entrance-site.ts";
import type { DemoEntrance, DemoGateway } from "./site-data.ts";

export interface DemoSiteOptions {
  readonly site: Site<Lamp, Board>;
  readonly entrances: readonly DemoEntrance[];
  readonly gateways: readonly DemoGateway[];
  readonly link: { cut(): void; restore(): void };
  wallMs(): number;
}

export interface DemoSite extends EntranceSite {
  /** A message that the hub's broker published. */
  onHubMessage(topic: string, payload: Uint8Array): void;
}

const STEP_OF_STAGE: Readonly<Partial<Record<Stage, StripStep>>> = {
  received: "seal",
  taken: "operator",
  dispatched: "team",
  closed: "closed",
};

/** PHYPayload of a confirmed data uplink with one report in it: MHDR, FHDR without options, FPort, report, MIC. */
const REPORT_FRAME_LENGTH = 1 + 7 + 1 + REPORT_LENGTH + 4;

/** A press that is being followed. */
interface Road {
  readonly sinceMs: number;
  /** Set by the hub's first word about it; later words must name the same event. */
  eventNumber: number | null;
  readonly done: Set<StripStep>;
}

export function createDemoSite(options: DemoSiteOptions): DemoSite {
  const { site, entrances, gateways, link, wallMs } = options;
  const listeners = new Set<(event: EntranceEvent) => void>();
  const roads = new Map<string, Road>();
  const switches = new Map<SwitchName, boolean>([
    ["centre", true],
    ...gateways.map(({ eui }) => [`gateway:${eui}`, true] as const),
    ...entrances.map(({ id }) => [`mains:${id}`, true] as const),
  ]);
  const say = (event: EntranceEvent) => {
    for (const listener of listeners) listener(event);
  };
  const step = (entrance: string, name: StripStep) => {
    const road = roads.get(entrance);
    if (road === undefined || road.done.has(name)) return;
    road.done.add(name);
    const atMs = wallMs();
    say({ type: "strip", entrance, step: name, atMs, sinceMs: Math.round(atMs - road.sinceMs) });
  };

  site.onEvent((event) => followSite(event, { say, step, roads, wallMs }));
  return {
    entrances,
    get switches(): SiteSwitch[] {
      return [...switches].map(([name, on]) => ({ name, on }));
    },
    lamp: (entrance) => site.lamp(entrance),
    press: (entrance) => site.hold(entrance),
    release: (entrance) => site.release(entrance),
    async setSwitch(name, on) {
      switches.set(name, on);
      const [kind, id = ""] = name.split(":");
      if (kind === "centre") (on ? link.restore : link.cut)();
      else if (kind === "gateway") await site.setSwitch(id, on);
      // the panel goes on by its battery, and says what it has lost
      else site.boards.get(id)?.setPin("mains", on ? 1 : 0);
      say({ type: "switch", name, on, atMs: wallMs() });
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onHubMessage: (topic, payload) => followHub(topic, payload, { step, roads }),
  };
}

interface Follow {
  say(event: EntranceEvent): void;
  step(entrance: string, name: StripStep): void;
  readonly roads: Map<string, Road>;
  wallMs(): number;
}

function followSite(event: SiteEvent<Lamp>, { say, step, roads, wallMs }: Follow): void {
  if (event.type === "lamp") {
    const { red, amber, green, buzzer } = event.lamp;
    say({ type: "lamp", entrance: event.devEui, levels: { red, amber, green, buzzer }, atMs: wallMs() });
  } else if (event.type === "button") {
    if (event.pressed) roads.set(event.devEui, { sinceMs: wallMs(), eventNumber: null, done: new Set() });
    say({ type: "button", entrance: event.devEui, down: event.pressed, atMs: wallMs() });
  } else if (event.type === "frame" && isReport(event.transmission)) step(event.transmission.from, "air");
  else if (event.type === "gateway" && event.event.type === "heard" && isReport(event.event.transmission)) {
    step(event.event.transmission.from, "gateway");
  }
}

function isReport({ bytes }: { bytes: Uint8Array }): boolean {
  return bytes.length >= REPORT_FRAME_LENGTH && (bytes[0] ?? 0) >> 5 === 0b100;
}

/** `tugma/event` says that it is on the hub's disk; the device's retained state says which stage was verified. */
function followHub(
  topic: string,
  payload: Uint8Array,
  { step, roads }: Pick<Follow, "step" | "roads">,
): void {
  const parsed = parseHubTopic(topic);
  const isState = parsed?.type === "device" && parsed.channel === "state";
  if (parsed?.type !== "event" && !isState) return;
  const body = JSON.parse(Buffer.from(payload).toString("utf8"));
  const device: string | null = isState ? parsed.device : body.device;
  const road = device === null ? undefined : roads.get(device);
  if (device === null || road === undefined || body.kind !== "panic") return;
  if (road.eventNumber === null && !isState) road.eventNumber = body.eventNumber;
  if (road.eventNumber !== body.eventNumber) return;
  const name = !isState ? "disk" : STEP_OF_STAGE[body.stage as Stage];
  if (name !== undefined) step(device, name);
}
