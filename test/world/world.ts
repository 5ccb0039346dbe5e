/** The whole road in virtual time: boards that run the final firmware, the air, gateways that speak Semtech UDP, a hub
 *  with its journal on disk, and a centre that it enrolled with, over real mutual TLS on the loopback. Virtual time
 *  stands still while a record is on that line, so that every run of a test is the same. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished } from "vitest";
import type { Incident } from "../../centre/incidents/incident.ts";
import type { Centre } from "../../centre/main.ts";
import { type LampChange, type LampMeaning, lampMeaning } from "../../hardware/virtual/board-lamp.ts";
import { type Clock, createVirtualClock, type VirtualClock } from "../../hardware/virtual/clock.ts";
import type { HubOptions } from "../../hub/foundation.ts";
import type { Hub } from "../../hub/main.ts";
import type { EventRecord } from "../../protocols/event.ts";
import { waitFor } from "../centre/hub-double.ts";
import { type Far, openFar } from "./far.ts";
import { createWorldHub, isDelivered, type WorldHub } from "./hub.ts";
import { createLines, type Lines } from "./lines.ts";
import { deviceInputs, openRadio, type Radio, type RadioOptions } from "./radio.ts";

/** What the centre and a sound hub take for now. 2026-01-01T00:00:00Z */
export const TODAY_MS = 1_767_225_600_000;

export interface WorldOptions extends RadioOptions {
  /** False: the hub has no centre. */
  readonly centre?: boolean;
  /** True: the line to the centre is cut from the start. */
  readonly cut?: boolean;
  /** What the hub's wall clock says at the start. */
  readonly hubWallMs?: number;
  readonly hub?: Partial<HubOptions>;
  /** The hub's folder; one that is given is left behind. */
  readonly hubDir?: string;
  /** hub.yaml. */
  readonly yaml?: string;
  /** False: boards have no power yet. */
  readonly powered?: boolean;
}

export interface World extends Radio {
  readonly clock: VirtualClock;
  readonly lines: Lines;
  readonly hub: Hub;
  readonly centre: Centre;
  /** Names of what the hub has logged. */
  readonly logged: readonly string[];
  stopHub(): Promise<void>;
  /** On the same folder. */
  startHub(): Promise<void>;
  /** Cuts the line to the centre; settles when the hub has noticed. */
  cut(): Promise<unknown>;
  /** Mends it; settles when everything is delivered. */
  restore(): Promise<void>;
  /** Every record of the hub, oldest first. */
  records(): Promise<EventRecord[]>;
  /** Wall time, by a clock that is right, at which the hub made a record. */
  trueMs(record: EventRecord): number;
  /** Of the centre. */
  incidents(kind?: EventRecord["kind"]): Incident[];
  /** Of the hub's status. */
  counter(name: string): number;
  /** Holds the button for half a second and lets time pass. */
  press(devEui: string, thenMs?: number): Promise<void>;
  lamp(devEui: string): LampMeaning;
  /** Lets time pass until every board and device is in. */
  join(limitMs?: number): Promise<void>;
  /** Puts another identity into a board, as who flashes it does: power off, the file, power on. */
  flash(devEui: string, identity: Readonly<Record<string, unknown>>): Promise<void>;
}

/** A world that ends with the test. An error that a board prints fails the test. */
export async function worldOf(options: WorldOptions = {}): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const clock = createVirtualClock(options.hubWallMs ?? TODAY_MS);
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-world-"));
  stack.defer(() => rmSync(dir, { recursive: true }));
  const hubDir = options.hubDir ?? path.join(dir, "hub");
  mkdirSync(hubDir, { recursive: true });
  // the centre's own clock is sound, whatever the hub's says
  const sound: Clock = { ...clock, wallMs: () => TODAY_MS + Math.floor(clock.monotonicMs()) };
  const hasCentre = options.centre !== false;
  const far = hasCentre
    ? await openFar({ dir: path.join(dir, "centre"), hubDir, clock: sound }, stack)
    : null;
  if (options.cut) far?.line.cut();
  const lines = createLines(clock);
  const hub = createWorldHub({
    dir: hubDir,
    clock,
    datagrams: lines.network,
    seed: options.seed ?? 1,
    yaml: options.yaml ?? `region: ${options.region ?? "EU433"}`,
    hasCentre,
    ...(options.hub && { change: options.hub }),
  });
  stack.defer(hub.stop);
  await hub.start();
  await hub.now.addDevices(deviceInputs(options));
  if (far?.line.up) await waitFor(() => isDelivered(hub.now));
  const radio = await openRadio(options, clock, lines.gatewaySide);
  stack.defer(() => radio.site.stop());
  await switchOn(radio, options.powered ?? true);
  await clock.advance(50);
  const end = stack.move();
  onTestFinished(async () => {
    await end.disposeAsync();
    expect([...radio.site.boards.values()].flatMap(({ errors }) => errors)).toEqual([]);
  });
  return assemble({ clock, lines, hub, far, radio });
}

async function switchOn({ site }: Radio, all: boolean): Promise<void> {
  if (all) return site.start();
  for (const eui of site.gateways.keys()) await site.setSwitch(eui, true);
}

interface Parts {
  readonly clock: VirtualClock;
  readonly lines: Lines;
  readonly hub: WorldHub;
  readonly far: Far | null;
  readonly radio: Radio;
}

function assemble(parts: Parts): World {
  const { clock, lines, hub, radio } = parts;
  return {
    ...{ clock, lines, ...radio, logged: hub.logged },
    ...hands(parts),
    ...eyes(parts),
    get hub() {
      return hub.now;
    },
    get centre() {
      return farOf(parts).centre;
    },
  };
}

function farOf({ far }: Parts): Far {
  if (far === null) throw new Error("this world has no centre");
  return far;
}

/** What can be done to a world. */
function hands(parts: Parts) {
  const { clock, hub, radio } = parts;
  const { site, devices } = radio;
  const isIn = () =>
    [...site.modems.values()].every(({ joined }) => joined) && devices.every(({ modem }) => modem.joined);
  /** A handshake takes real time, a backoff virtual time: both go on until everything is delivered. */
  const deliver = async () => {
    for (let tries = 0; !isDelivered(hub.now); tries++) {
      if (tries > 1_000) throw new Error("the hub does not come to its centre");
      await clock.advance(20);
      await new Promise((next) => setTimeout(next, 2));
    }
  };
  return {
    stopHub: hub.stop,
    startHub: hub.start,
    cut() {
      farOf(parts).line.cut();
      return waitFor(() => hub.now.status().paths[0]?.up === false);
    },
    restore() {
      farOf(parts).line.restore();
      return deliver();
    },
    async press(devEui: string, thenMs = 5_000) {
      const released = site.press(devEui, 500);
      await clock.advance(thenMs);
      await released;
    },
    async join(limitMs = 120_000) {
      for (const { modem } of devices) modem.join();
      if (!(await clock.runUntil(isIn, limitMs))) throw new Error(`not all joined within ${limitMs} ms`);
      await clock.advance(10_000);
    },
    async flash(devEui: string, identity: Readonly<Record<string, unknown>>) {
      const storage = site.boards.get(devEui)?.storage;
      if (storage === undefined) throw new Error(`no board ${devEui}`);
      await site.setSwitch(devEui, false);
      storage.write(
        "identity",
        JSON.stringify({ ...JSON.parse(storage.read("identity") ?? "{}"), ...identity }),
      );
      await site.setSwitch(devEui, true);
    },
  };
}

/** What can be seen of it. */
function eyes(parts: Parts) {
  const { clock, hub, radio } = parts;
  return {
    records: async () => (await hub.now.journal.read(0, 10_000)).map(({ event }) => event),
    trueMs: ({ boot, monotonicMs }: EventRecord) => TODAY_MS + hub.startedMs(boot) + monotonicMs,
    incidents: (kind?: EventRecord["kind"]) =>
      farOf(parts)
        .centre.incidents()
        .filter((one) => kind === undefined || one.kind === kind),
    counter(name: string) {
      const counters: Readonly<Record<string, number>> = hub.now.status().counters;
      const value = counters[name];
      if (value === undefined) throw new Error(`the hub has no counter ${name}`);
      return value;
    },
    lamp(devEui: string) {
      const history = radio.siteEvents.flatMap((event): LampChange[] =>
        event.type === "lamp" && event.devEui === devEui ? [{ lamp: event.lamp, atMs: event.atMs }] : [],
      );
      return lampMeaning(history, clock.monotonicMs());
    },
  };
}
