import { describe, expect, test } from "vitest";
import { createVirtualBus } from "../../hardware/virtual/bus.ts";
import { createVirtualClock } from "../../hardware/virtual/clock.ts";
import { createDatagramNetwork } from "../../hardware/virtual/datagram.ts";
import type { Rak3172Flash } from "../../hardware/virtual/rak3172-settings.ts";
import { createRandom } from "../../hardware/virtual/random.ts";
import { createSite } from "../../hardware/virtual/site.ts";
import type { BoardFactory, SiteEvent, Supply } from "../../hardware/virtual/site-types.ts";
import { encodeFrame } from "../../protocols/device/frame.ts";
import { REGIONS } from "../../protocols/lorawan/regions.ts";
import { createEchoHub } from "./echo-hub.ts";
import { APP_KEY, JOIN_EUI } from "./radio-world.ts";

type Lamp = "off" | "sending" | "received";
const ENTRANCES = ["ac1f09fffe000001", "ac1f09fffe000002"];
const GATEWAYS = ["0016c001ff000001", "0016c001ff000002"];

/** The simplest board that can be pressed: joins when powered, one report per press, green when data comes back. */
const createScriptedBoard: BoardFactory<Lamp, never> = ({ identity, serial }) => {
  const listeners: ((lamp: Lamp) => void)[] = [];
  let lamp: Lamp = "off";
  let powered = false;
  let text = "";
  const show = (next: Lamp) => {
    lamp = next;
    for (const listener of listeners) listener(next);
  };
  const setup = [
    "AT+DEVEUI=" + identity["devEui"],
    "AT+APPEUI=" + identity["joinEui"],
    "AT+APPKEY=" + identity["appKey"],
    "AT+DR=5",
    "AT+CFM=1",
    "AT+JOIN=1:0:10:8",
  ];
  const type = (line: string | undefined) => line !== undefined && serial.write(Buffer.from(`${line}\r\n`));
  let script: string[] = [];
  serial.onData((bytes) => {
    if (!powered) return;
    text += Buffer.from(bytes).toString("latin1");
    const lines = text.split("\r\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith("Current Work Mode")) script = [...setup];
      if (line.startsWith("Current Work Mode") || line === "OK") type(script.shift());
      if (line.startsWith("+EVT:RX_")) show("received");
    }
  });
  return {
    press() {
      if (!powered) return;
      show("sending");
      type("AT+SEND=2:2200000700006403");
    },
    release() {},
    lamp: () => lamp,
    onLamp: (listener) => void listeners.push(listener),
    powerOn() {
      powered = true;
    },
    powerOff() {
      powered = false;
      show("off");
    },
  };
};

async function createWorld(options: { supply?: Supply; region?: "EU868" | "UZ923" } = {}) {
  const clock = createVirtualClock();
  const datagrams = createDatagramNetwork(clock);
  const socket = datagrams.bind(1700);
  const region = options.region ?? "EU868";
  const appKeys = Object.fromEntries(ENTRANCES.map((devEui) => [devEui, APP_KEY]));
  const hub = createEchoHub({
    socket,
    region: REGIONS[region],
    appKeys,
    answer: () => ({ ack: true, fPort: 2, payload: Uint8Array.of(0x21, 2, 0, 7) }),
  });
  const flashes = new Map<string, Rak3172Flash>();
  const site = createSite({
    clock,
    region,
    random: createRandom(11),
    datagrams,
    hubAddress: socket.address,
    gateways: GATEWAYS.map((eui, i) => ({ eui, position: { xM: i * 300, yM: 0 } })),
    entrances: ENTRANCES.map((devEui, i) => ({
      devEui,
      joinEui: JOIN_EUI,
      appKey: APP_KEY,
      position: { xM: 100 + i * 100, yM: 50 },
      ...(options.supply === undefined ? {} : { supply: options.supply }),
    })),
    bundle: "",
    createBoard: createScriptedBoard,
    onModemFlash: (devEui, flash) => flashes.set(devEui, flash),
  });
  const events: SiteEvent<Lamp>[] = [];
  site.onEvent((event) => events.push(event));
  await site.start();
  await clock.runUntil(() => [...site.modems.values()].every(({ joined }) => joined), 120_000);
  return { clock, site, hub, events, flashes };
}

type World = Awaited<ReturnType<typeof createWorld>>;

async function press({ clock, site, events }: World, devEui = ENTRANCES[0] ?? "") {
  const from = events.length;
  const released = site.press(devEui, 300);
  await clock.advance(5000);
  await released;
  return events.slice(from);
}

describe("a site", () => {
  test("a board on a bus has no modem, and what it says there is told as it begins", async () => {
    const clock = createVirtualClock();
    const datagrams = createDatagramNetwork(clock);
    const bus = createVirtualBus({ clock });
    const [devEui = ""] = ENTRANCES;
    const payload = Uint8Array.of(1, 2, 3);
    const site = createSite<Lamp, never, ReturnType<typeof createScriptedBoard>>({
      ...{ clock, datagrams, region: "EU868", random: createRandom(1), gateways: [], bundle: "" },
      hubAddress: datagrams.bind(1700).address,
      entrances: [{ devEui, joinEui: JOIN_EUI, appKey: APP_KEY, wire: bus.attach() }],
      createBoard: (options) => ({
        ...createScriptedBoard(options),
        press: () =>
          options.serial.write(
            encodeFrame({ address: 4, fromDevice: true, type: "data", sequence: 1, payload }),
          ),
      }),
    });
    const heard: string[] = [];
    bus.attach().onData((bytes) => heard.push(`whole ${bytes.length}`));
    site.onEvent((event) => event.type === "wireFrame" && heard.push(`begins ${event.phyPayload}`));
    site.hold(devEui);
    await clock.advance(100);
    expect(heard).toEqual(["begins 1,2,3", "whole 10"]);
    expect(site.modems.size).toBe(0);
    await Promise.all([site.start(), site.stop()]);
  });

  test("a device has the bundle, the role and the levels of its own, the others those of the site", () => {
    const clock = createVirtualClock();
    const datagrams = createDatagramNetwork(clock);
    const given: unknown[] = [];
    const [first = "", second = ""] = ENTRANCES;
    const own = { role: "heat-sensor", bundle: "its own", pins: { thermistor: 0.5 } };
    const keys = { joinEui: JOIN_EUI, appKey: APP_KEY };
    createSite<Lamp, never, ReturnType<typeof createScriptedBoard>>({
      ...{ clock, datagrams, region: "EU868", random: createRandom(1), gateways: [], bundle: "the site's" },
      hubAddress: datagrams.bind(1700).address,
      entrances: [
        { devEui: first, ...keys },
        { devEui: second, ...keys, ...own },
      ],
      createBoard(options) {
        given.push({ role: options.identity["role"], bundle: options.bundle, pins: options.pins });
        return createScriptedBoard(options);
      },
    });
    expect(given).toEqual([{ role: "entrance-button", bundle: "the site's", pins: undefined }, own]);
  });

  test("a press is seen on its whole way: button, frame, gateways, downlink, lamp", async () => {
    const world = await createWorld();
    const seen = await press(world);
    const story = seen.flatMap((event) => {
      if (event.type === "gateway") return `${event.event.type}`;
      if (event.type === "lamp") return `lamp ${event.lamp}`;
      if (event.type === "button") return event.pressed ? "pressed" : "released";
      return event.type === "frame" ? `frame ${event.transmission.polarity}` : [];
    });
    for (const step of [
      "pressed",
      "lamp sending",
      "frame up",
      "heard",
      "pushed",
      "pushAcknowledged",
      "released",
      "downlink",
      "sent",
      "frame down",
      "lamp received",
    ]) {
      expect(story).toContain(step);
    }
    expect(story.indexOf("frame up")).toBeGreaterThan(story.indexOf("pressed"));
    expect(story.at(-1)).toBe("lamp received");
    expect(story.filter((step) => step === "heard")).toHaveLength(2);
    expect(world.site.lamp(ENTRANCES[0] ?? "")).toBe("received");
    expect(world.site.lamp(ENTRANCES[1] ?? "")).toBe("off");
  });

  test("one gateway switched off: the other still carries the press; both: nobody hears it", async () => {
    const world = await createWorld();
    await world.site.setSwitch(GATEWAYS[0] ?? "", false);
    await press(world);
    expect(world.hub.uplinks.at(-1)?.copies.map(({ gateway }) => gateway)).toEqual([GATEWAYS[1]]);
    await world.site.setSwitch(GATEWAYS[1] ?? "", false);
    const before = world.hub.uplinks.length;
    await press(world, ENTRANCES[1]);
    expect(world.hub.uplinks).toHaveLength(before);
    expect(world.site.lamp(ENTRANCES[1] ?? "")).toBe("sending");
  });

  test("without the mains the gateways are silent and the entrances, on batteries, are not", async () => {
    const world = await createWorld();
    await world.site.setMains(false);
    expect([...world.site.gateways.values()].map(({ powered }) => powered)).toEqual([false, false]);
    const seen = await press(world);
    expect(seen.some((event) => event.type === "frame")).toBe(true);
    await world.site.setMains(true);
    await world.clock.advance(6000);
    await press(world);
    expect(world.site.lamp(ENTRANCES[0] ?? "")).toBe("received");
  });

  test("an entrance without its battery is dead; with it, it joins again with a new DevNonce", async () => {
    const world = await createWorld();
    const [entrance = ""] = ENTRANCES;
    const before = world.flashes.get(entrance)?.memory.devNonce ?? 0;
    await world.site.setBattery(entrance, false);
    expect((await press(world)).filter((event) => event.type !== "button")).toEqual([]);
    await world.site.setBattery(entrance, true);
    await world.clock.runUntil(() => world.site.modems.get(entrance)?.joined === true, 60_000);
    expect(world.flashes.get(entrance)?.memory.devNonce).toBe(before + 1);
    await press(world);
    expect(world.site.lamp(entrance)).toBe("received");
  });

  test("switches thrown faster than parts start end where they were left", async () => {
    const world = await createWorld({ supply: { mains: true, battery: true } });
    const [gateway = ""] = GATEWAYS;
    await Promise.all([false, true, false, true].map((on) => world.site.setSwitch(gateway, on)));
    expect(world.site.gateways.get(gateway)?.powered).toBe(true);
    await world.site.stop();
    expect(
      [...world.site.gateways.values(), ...world.site.modems.values()].some(({ powered }) => powered),
    ).toBe(false);
    expect(() => world.site.setSwitch("nowhere", true)).toThrow(
      /nothing to switch is called nowhere; it has .*0016c001ff000001/,
    );
  });
});
