/** What the entrance page is told of sensors: by their lights, and by what the hub says on its broker. */
import { expect, test } from "vitest";
import { createDemoSite } from "../../../hardware/demo/demo-site.ts";
import type { EntranceEvent } from "../../../hardware/demo/entrance-site.ts";
import { createFireRoom } from "../../../hardware/demo/fire-room.ts";
import { stepStanding, wordOf } from "../../../hardware/demo/sensor-word.ts";
import { DEMO_ENTRANCES, DEMO_SHOP, DEMO_STAIRWELL } from "../../../hardware/demo/site-data.ts";
import { createSiteView } from "../../../hardware/demo/site-view.ts";
import { DARK, type Lamp } from "../../../hardware/virtual/board-lamp.ts";
import { createVirtualClock } from "../../../hardware/virtual/clock.ts";
import type { SiteEvent } from "../../../hardware/virtual/site-types.ts";
import { DETAIL } from "../../../protocols/device/details.ts";

const [SMOKE] = DEMO_SHOP.sensors.map(({ id }) => id);
const device = SMOKE ?? "";

function openSite() {
  const clock = createVirtualClock();
  let happen: (event: SiteEvent<Lamp>) => void = () => undefined;
  let hear: (address: number, phyPayload: Uint8Array) => void = () => undefined;
  const site = createDemoSite({
    site: {
      lamp: () => DARK,
      hold: () => undefined,
      release: () => undefined,
      setSwitch: async () => undefined,
      boards: new Map(),
      onEvent(listener) {
        happen = listener;
      },
    },
    entrances: [...DEMO_ENTRANCES, DEMO_STAIRWELL],
    rooms: [{ room: DEMO_SHOP, fire: createFireRoom(clock) }],
    wire: {
      stairs: {
        onHeard(listener) {
          hear = listener;
        },
      },
      devices: new Map([[DEMO_STAIRWELL.wireAddress, DEMO_STAIRWELL.id]]),
    },
    gateways: [],
    link: { cut: () => undefined, restore: () => undefined },
    wallMs: clock.wallMs,
  });
  const view = createSiteView(site);
  const told: EntranceEvent[] = [];
  site.subscribe((event) => {
    told.push(event);
    view.follow(event);
  });
  const hub = (topic: string, body: object) => site.onHubMessage(topic, Buffer.from(JSON.stringify(body)));
  return {
    ...{ clock, site, told, happen: (event: SiteEvent<Lamp>) => happen(event) },
    hear: (address: number, phyPayload: Uint8Array) => hear(address, phyPayload),
    stairwell: () => view.picture().entrances.find(({ id }) => id === DEMO_STAIRWELL.id),
    lamp: (lamp: Partial<Lamp>) =>
      happen({ type: "lamp", devEui: device, lamp: { ...DARK, ...lamp }, atMs: 0 }),
    stored: (kind: string, eventNumber: number, detail: number) =>
      hub("tugma/event", { device, kind, eventNumber, state: { detail } }),
    stage: (kind: string, eventNumber: number, stage: string) =>
      hub(`tugma/device/${device}/state`, { kind, eventNumber, stage }),
    sensor: () => view.picture().rooms[0]?.sensors[0],
  };
}

test("a sensor's road begins with its red light and follows that alarm only", async () => {
  const world = openSite();
  world.stored("preAlarm", 4, DETAIL.smoke);
  expect(world.sensor()).toMatchObject({ word: "preAlarm", begunMs: null, strip: [] });
  world.lamp({ red: true, buzzer: true });
  await world.clock.advance(700);
  world.stage("preAlarm", 4, "received");
  world.stored("smoke", 5, 41);
  world.stage("smoke", 5, "received");
  world.lamp({ red: true });
  await world.clock.advance(1000);
  world.stage("smoke", 5, "taken");
  expect(world.sensor()?.strip).toEqual([
    { step: "disk", sinceMs: 700 },
    { step: "seal", sinceMs: 700 },
    { step: "operator", sinceMs: 1700 },
  ]);
  expect(world.told.filter(({ type }) => type === "alarm")).toHaveLength(1);
  world.lamp({});
  world.lamp({ red: true });
  expect(world.sensor()).toMatchObject({ strip: [], word: "alarm" });
});

test("a press in the stairwell is followed on the wire: where it begins, and where it has come whole", async () => {
  const world = openSite();
  const { id: devEui, wireAddress } = DEMO_STAIRWELL;
  const poll = Uint8Array.of(0x40, 1, 2, 3);
  const report = new Uint8Array(21).fill(0x80, 0, 1);
  world.happen({ type: "button", devEui, pressed: true, atMs: 0 });
  world.happen({ type: "wireFrame", devEui, phyPayload: poll, atMs: 0 });
  await world.clock.advance(70);
  world.happen({ type: "wireFrame", devEui, phyPayload: report, atMs: 0 });
  await world.clock.advance(9);
  world.hear(wireAddress + 1, report);
  await world.clock.advance(1);
  world.hear(wireAddress, report);
  expect(world.stairwell()?.strip).toEqual([
    { step: "air", sinceMs: 70 },
    { step: "gateway", sinceMs: 80 },
  ]);
});

test("a word stands until the hub has stored that it is over", () => {
  const world = openSite();
  const words: (string | undefined)[] = [];
  for (const [kind, detail] of [
    ["preAlarm", DETAIL.smoke],
    ["smoke", 41],
    ["fault", DETAIL.battery],
    ["restore", DETAIL.smoke],
    ["restore", DETAIL.preAlarm],
    ["restore", DETAIL.battery],
  ] as const) {
    world.stored(kind, words.length + 1, detail);
    words.push(world.sensor()?.word);
  }
  expect(words).toEqual(["preAlarm", "alarm", "alarm", "preAlarm", "fault", "quiet"]);
});

test("a restore of nothing known says that all is over; a heartbeat says nothing", () => {
  const standing = stepStanding(new Set([DETAIL.heat, DETAIL.case]), "heartbeat", DETAIL.restarted);
  expect(wordOf(standing)).toBe("alarm");
  expect(wordOf(stepStanding(standing, "restore", 31))).toBe("quiet");
});

test("a fire is made in the room that is named, and a room that is not there is an error", async () => {
  const world = openSite();
  world.site.burn("shop", { kelvinPerMinute: 30, smokePerMinute: 12 });
  await world.clock.advance(60_000);
  expect(world.site.air("shop")).toMatchObject({ celsius: 55, smoke: 12 });
  expect(world.told.at(-1)).toMatchObject({ type: "air", room: "shop" });
  world.site.putOut("shop");
  expect(() => world.site.putOut("cellar")).toThrow(/cellar/);
});
