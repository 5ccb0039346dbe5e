/** The demo's site as the entrance page sees it: pins of the virtual boards, the air of the shop, and the road of a press or
 *  an alarm put together from where each step really happens: the air, the gateways, and what the hub says on its own
 *  broker. */
import type { Lamp } from "../virtual/board-lamp.ts";
import type { Board } from "../virtual/board-types.ts";
import type { Site } from "../virtual/site-types.ts";
import type { EntranceEvent, EntranceSite, SiteSwitch, StripStep, SwitchName } from "./entrance-site.ts";
import type { FireRoom } from "./fire-room.ts";
import { type Follow, followHub, followSite, followWire, type Road } from "./road.ts";
import type { Standing } from "./sensor-word.ts";
import type { DemoEntrance, DemoGateway, DemoRoom } from "./site-data.ts";
import type { Stairs } from "./stairs.ts";

export interface DemoSiteOptions {
  readonly site: Pick<Site<Lamp, Board>, "lamp" | "hold" | "release" | "setSwitch" | "boards" | "onEvent">;
  readonly entrances: readonly DemoEntrance[];
  readonly rooms: readonly { readonly room: DemoRoom; readonly fire: FireRoom }[];
  /** Devices on the bus, by address. */
  readonly wire: { readonly stairs: Pick<Stairs, "onHeard">; readonly devices: ReadonlyMap<number, string> };
  readonly gateways: readonly DemoGateway[];
  readonly link: { cut(): void; restore(): void };
  wallMs(): number;
}

export interface DemoSite extends EntranceSite {
  /** A message that the hub's broker published. */
  onHubMessage(topic: string, payload: Uint8Array): void;
}

export function createDemoSite(options: DemoSiteOptions): DemoSite {
  const { site, entrances, rooms, gateways, wallMs } = options;
  const listeners = new Set<(event: EntranceEvent) => void>();
  const say = (event: EntranceEvent) => {
    for (const listener of listeners) listener(event);
  };
  const follow = createFollow(options, say);
  site.onEvent((event) => followSite(event, follow));
  options.wire.stairs.onHeard((address, phyPayload) => {
    const device = options.wire.devices.get(address);
    if (device !== undefined) followWire(device, phyPayload, follow);
  });
  for (const { room, fire } of rooms)
    fire.onAir((air) => say({ type: "air", room: room.id, air, atMs: wallMs() }));
  const fireOf = (id: string) => {
    const found = rooms.find(({ room }) => room.id === id);
    if (found === undefined) throw new Error(`demo: no room is called ${id}`);
    return found.fire;
  };
  const switches = new Map<SwitchName, boolean>([
    ["centre", true],
    ...gateways.map(({ eui }) => [`gateway:${eui}`, true] as const),
    ...entrances.map(({ id }) => [`mains:${id}`, true] as const),
  ]);
  return {
    entrances,
    rooms: rooms.map(({ room }) => room),
    get switches(): SiteSwitch[] {
      return [...switches].map(([name, on]) => ({ name, on }));
    },
    lamp: (device) => site.lamp(device),
    air: (room) => fireOf(room).air(),
    burn: (room, fire) => fireOf(room).burn(fire),
    putOut: (room) => fireOf(room).putOut(),
    press: (entrance) => site.hold(entrance),
    release: (entrance) => site.release(entrance),
    async setSwitch(name, on) {
      switches.set(name, on);
      await throwSwitch(options, name, on);
      say({ type: "switch", name, on, atMs: wallMs() });
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onHubMessage: (topic, payload) => followHub(topic, payload, follow),
  };
}

function createFollow({ rooms, wallMs }: DemoSiteOptions, say: (event: EntranceEvent) => void): Follow {
  const roads = new Map<string, Road>();
  const sensors = new Map(rooms.flatMap(({ room }) => room.sensors.map((each) => [each.id, each.role])));
  return {
    ...{ roads, sensors, say, wallMs, lit: new Set<string>() },
    standing: new Map<string, Standing>(),
    step(device: string, name: StripStep) {
      const road = roads.get(device);
      if (road === undefined || road.done.has(name)) return;
      road.done.add(name);
      const atMs = wallMs();
      say({ type: "strip", device, step: name, atMs, sinceMs: Math.round(atMs - road.sinceMs) });
    },
  };
}

async function throwSwitch({ site, link }: DemoSiteOptions, name: SwitchName, on: boolean): Promise<void> {
  const [kind, id = ""] = name.split(":");
  if (kind === "centre") (on ? link.restore : link.cut)();
  else if (kind === "gateway") await site.setSwitch(id, on);
  // the panel goes on by its battery, and says what it has lost
  else site.boards.get(id)?.setPin("mains", on ? 1 : 0);
}
