/** A relay module over Modbus, played by libmodbus: on a serial line and over TCP. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { RelayConfig } from "../../../hub/annunciator/config.ts";
import type { DriverEvents } from "../../../hub/annunciator/driver.ts";
import { openRelay } from "../../../hub/annunciator/relay.ts";
import { createSystemClock } from "../../../hub/clock.ts";
import { freePort, hasSlave, openPtyPair, type Slave, slaveFolder, startSlave } from "../modbus/slave.ts";

const UNIT = 9;
const OUTPUTS = [
  { name: "siren", coil: 3 },
  { name: "strobe", coil: 5 },
];
const SETTINGS = {
  baudRate: 9600,
  parity: "none",
  stopBits: 1,
  port: 502,
  unit: UNIT,
  timeoutMs: 150,
} as const;
const WAIT = { timeout: 10_000, interval: 20 };
const COIL_ON = 0xff00;

const folder = new AsyncDisposableStack();
let place: { dir: string; binary: string };
const present = hasSlave();
beforeAll(() => {
  if (present) place = slaveFolder(folder);
});
afterAll(() => folder.disposeAsync());

/** What each coil was last told, by the slave's own account. */
function coils({ requests }: Slave): Record<number, boolean> {
  const writes = requests.filter(([functionCode]) => functionCode === 5);
  return Object.fromEntries(writes.map(([, address, value]) => [address, value === COIL_ON]));
}

function open(line: Partial<RelayConfig>) {
  const told: string[] = [];
  const events: DriverEvents = {
    up: () => void told.push("up"),
    down: (reason) => void told.push(reason),
    silence: () => undefined,
  };
  const driver = openRelay(
    { relay: { ...SETTINGS, ...line }, outputs: OUTPUTS, clock: createSystemClock() },
    events,
  );
  return { driver, told };
}

describe.skipIf(!present)("a relay module of libmodbus", () => {
  test.each(["rtu", "tcp"] as const)(
    "on %s takes what is set, and everything is off at the end",
    async (kind) => {
      const stack = new AsyncDisposableStack();
      onTestFinished(() => stack.disposeAsync());
      const port = await freePort();
      const pty = await openPtyPair(place.dir, stack);
      const where = kind === "rtu" ? ["rtu", pty.theirs, "9600", `${UNIT}`] : ["tcp", `${port}`, `${UNIT}`];
      const slave = await startSlave(place.binary, where, stack);
      const { driver, told } = open(kind === "rtu" ? { path: pty.ours } : { host: "127.0.0.1", port });
      await expect.poll(() => told, WAIT).toEqual(["up"]);
      expect(coils(slave)).toEqual({ 3: false, 5: false });
      driver.set({ siren: true, strobe: false });
      await expect.poll(() => coils(slave), WAIT).toEqual({ 3: true, 5: false });
      const functions = () => slave.requests.map(([functionCode]) => functionCode);
      await expect.poll(functions, WAIT).toContain(1);
      await driver.close();
      expect(coils(slave)).toEqual({ 3: false, 5: false });
      expect(new Set(functions())).toEqual(new Set([1, 5]));
      expect(told).toEqual(["up"]);
    },
  );

  test("that does not answer is lost, and told everything anew when it is back; as one that has forgotten", async () => {
    const stack = new AsyncDisposableStack();
    onTestFinished(() => stack.disposeAsync());
    const pty = await openPtyPair(place.dir, stack);
    const slave = await startSlave(place.binary, ["rtu", pty.theirs, "9600", `${UNIT}`], stack);
    const { driver, told } = open({ path: pty.ours });
    stack.defer(() => driver.close());
    driver.set({ siren: true, strobe: true });
    await expect.poll(() => told, WAIT).toEqual(["up"]);
    await slave.tell("mute 4");
    await expect.poll(() => told, WAIT).toEqual(["up", "no answer", "up"]);
    const before = slave.requests.length;
    await slave.tell("coil 3 0");
    await expect.poll(() => told.slice(3), WAIT).toEqual(["coil 3 is not as it was written", "up"]);
    expect(coils(slave)).toEqual({ 3: true, 5: true });
    expect(slave.requests.slice(before)).toContainEqual([5, 3, COIL_ON]);
  });
});
