/** From the box to the centre: what the flasher wrote is a board that joins, and whose press is received. */

import path from "node:path";
import { expect, test } from "vitest";
import { createBoard } from "../../hardware/virtual/board.ts";
import { type LampChange, lampMeaning } from "../../hardware/virtual/board-lamp.ts";
import { createBoardStorage } from "../../hardware/virtual/board-storage.ts";
import { createVirtualBus } from "../../hardware/virtual/bus.ts";
import { createRandom } from "../../hardware/virtual/random.ts";
import { createRs485Serial } from "../../hardware/virtual/rs485-board.ts";
import type { LineEvents, OpenLine } from "../../hub/carriers/rs485-line.ts";
import { withDeviceTables } from "../../hub/journal/offline.ts";
import { worldOf } from "../world/world.ts";
import { boardOnPort, crateFolder, tugmaFlash } from "./flash-crate.ts";

const ADDRESS = 9;
const YAML = `region: EU433\nbuses:\n  - { name: stairs, path: /dev/bus, addresses: [${ADDRESS}] }`;

/** A blank board, flashed for the wire: its Storage, and the device as the hub's journal has it. */
async function flashed() {
  const { dir, profile } = crateFolder();
  const { port, board } = await boardOnPort({});
  const who = [
    "--port",
    port,
    "--role",
    "entrance-button",
    "--uplink",
    "wire",
    "--wire-address",
    `${ADDRESS}`,
  ];
  const where = [
    "--name",
    "Bog‘iston 14-2",
    "--site",
    "Bog‘iston 14",
    "--zone",
    "2-kirish",
    "--region",
    "EU433",
  ];
  const { status, errors } = await tugmaFlash([...who, ...where, "--profile", profile, "--dir", dir]);
  expect(status, errors.join("\n")).toBe(0);
  const [row] = withDeviceTables(path.join(dir, "journal.sqlite"), (tables) => tables.load());
  if (row === undefined) throw new Error("nothing was registered");
  const { devEui, joinEui, appKey, name, place, deviceClass, intervalS } = row;
  const input = { devEui, joinEui, appKey, name, place, deviceClass, intervalS };
  return { files: board.storage.snapshot(), input };
}

test("a board out of the box is flashed, joins, and its press is received by the centre", async () => {
  const { files, input } = await flashed();
  let hub: LineEvents | null = null;
  let say: (bytes: Uint8Array) => void = () => {};
  const lines: OpenLine = (_path, _baud, events) => {
    hub = events;
    return { write: (bytes) => say(bytes), close: async () => undefined };
  };
  const world = await worldOf({ boards: 1, yaml: YAML, hub: { lines } });
  const { clock } = world;
  const bus = createVirtualBus({ clock });
  const master = bus.attach();
  master.onData((bytes) => hub?.data(bytes));
  say = (bytes) => master.send(bytes);
  (hub as LineEvents | null)?.opened();
  await world.hub.addDevices([input]);

  const storage = createBoardStorage(files);
  const board = createBoard({
    ...{ bundle: storage.read(".bootcde") ?? "", storage, clock, random: createRandom(3) },
    serial: createRs485Serial({ clock, port: bus.attach() }),
  });
  const lamps: LampChange[] = [];
  board.onLamp((lamp, atMs) => lamps.push({ lamp, atMs }));
  board.powerOn();
  await world.join();
  board.press();
  clock.setTimer(() => board.release(), 300);
  await clock.advance(8000);

  expect(board.errors).toEqual([]);
  expect(lampMeaning(lamps, clock.monotonicMs())).toBe("received");
  const records = (await world.records()).filter(({ device }) => device === input.devEui);
  expect(records.map(({ kind }) => kind)).toContain("panic");
  expect(records.find(({ kind }) => kind === "panic")).toMatchObject({ mode: "real", place: input.place });
}, 30_000);
