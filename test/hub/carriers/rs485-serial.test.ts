/** The wire over real serial ports: pseudo-terminals of socat, serialport on both ends, real time. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import { createVirtualBus } from "../../../hardware/virtual/bus.ts";
import { createRealClock } from "../../../hardware/virtual/clock.ts";
import { createDatagramNetwork } from "../../../hardware/virtual/datagram.ts";
import { createWiredDevice, type WiredDevice } from "../../../hardware/virtual/wired-device.ts";
import { createLines, type Line, type OpenLine } from "../../../hub/carriers/rs485-line.ts";
import { createSystemClock } from "../../../hub/clock.ts";
import { parseConfig } from "../../../hub/config.ts";
import { type Hub, startHub } from "../../../hub/main.ts";
import { REGIONS } from "../../../protocols/lorawan/regions.ts";
import { waitFor } from "../../centre/hub-double.ts";
import { needs } from "../../debian.ts";
import { pressReport, wiredIdentity, wiredInputs } from "../../world/wired.ts";
import { GENESIS, HUB, PRIVATE_KEY_PEM, REALM } from "../journal/fixture.ts";

const ADDRESSES = [1, 2, 3];
const clock = createSystemClock();

/** Two ends of a line that can be pulled out and put back. */
interface Plug {
  readonly ours: string;
  readonly theirs: string;
  plug(): Promise<void>;
  unplug(): Promise<void>;
}

function ptyPlug(stack: AsyncDisposableStack): Plug {
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-pty-"));
  stack.defer(() => rmSync(dir, { recursive: true }));
  const [ours, theirs] = [path.join(dir, "ours"), path.join(dir, "theirs")];
  let socat: ChildProcess | null = null;
  const unplug = async () => {
    const child = socat;
    socat = null;
    if (child === null || child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
    for (const link of [ours, theirs]) rmSync(link, { force: true });
  };
  stack.defer(unplug);
  return {
    ...{ ours, theirs, unplug },
    async plug() {
      const ends = [ours, theirs].map((link) => `pty,raw,echo=0,link=${link}`);
      const child = spawn("socat", ["-d", "-d", ...ends], { stdio: ["ignore", "ignore", "pipe"] });
      socat = child;
      await new Promise<void>((ready) =>
        createInterface({ input: child.stderr }).on(
          "line",
          (line) => /starting data transfer/.test(line) && ready(),
        ),
      );
    },
  };
}

/** A bus of bare devices, in real time, behind whatever `write` leads to. */
function bareBus(): {
  devices: WiredDevice[];
  hear(bytes: Uint8Array): void;
  onData(to: (bytes: Uint8Array) => void): void;
} {
  const realClock = createRealClock();
  const bus = createVirtualBus({ clock: realClock, pieceBytes: 5 });
  const devices = ADDRESSES.map((address, index) =>
    createWiredDevice({
      ...{ clock: realClock, port: bus.attach(), address, region: REGIONS.EU433 },
      identity: wiredIdentity(index),
    }),
  );
  const port = bus.attach();
  return { devices, hear: (bytes) => port.send(bytes), onData: (to) => port.onData(to) };
}

async function hubOn(busPath: string, openLine: OpenLine, stack: AsyncDisposableStack): Promise<Hub> {
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-serial-"));
  stack.defer(() => rmSync(dir, { recursive: true }));
  const hub = await startHub({
    ...{ dir, clock, simulated: true, lines: openLine },
    config: parseConfig(
      `region: EU433\nbuses:\n  - { name: stairs, path: "${busPath}", addresses: [${ADDRESSES.join(", ")}] }`,
      "hub.yaml",
    ),
    datagrams: createDatagramNetwork(createRealClock()),
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    identity: {
      hub: HUB,
      realm: REALM,
      genesis: GENESIS,
      signingKeyPem: PRIVATE_KEY_PEM,
      tlsKeyPem: "",
      centres: [],
    },
  });
  stack.defer(() => hub.stop());
  await hub.addDevices(wiredInputs(ADDRESSES.length));
  return hub;
}

/** For what nobody looks at here. */
function ignore(): void {
  return;
}

async function pressesOf(hub: Hub): Promise<string[]> {
  const rows = await hub.journal.read(0, 10_000);
  return rows
    .filter(({ event }) => event.kind === "panic")
    .map(({ event }) => `${event.device} ${event.eventNumber}`);
}

function newStack(): AsyncDisposableStack {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  return stack;
}

describe.skipIf(!needs("socat"))("a wire bus on a serial port", () => {
  test("an adapter pulled out and put back in the middle of alarms loses nothing and doubles nothing", async () => {
    const stack = newStack();
    const plug = ptyPlug(stack);
    await plug.plug();
    const openLine = await createLines(clock);
    const { devices, hear, onData } = bareBus();
    const far: Line = openLine(plug.theirs, 38_400, { opened: ignore, closed: ignore, data: hear });
    stack.defer(() => far.close());
    onData((bytes) => far.write(bytes));
    const hub = await hubOn(plug.ours, openLine, stack);
    for (const device of devices) device.join();
    await waitFor(() => devices.every(({ isJoined }) => isJoined));
    const acknowledged = devices.map(() => 0);
    for (const [index, device] of devices.entries()) {
      device.onEvent(({ type }) => {
        if (type === "acknowledged") acknowledged[index] = (acknowledged[index] ?? 0) + 1;
      });
    }
    for (let round = 1; round <= 3; round++) {
      for (const device of devices) device.send(2, pressReport(round));
      // at another moment of the exchange each time
      for (let turn = 0; turn < round * 3; turn++) await new Promise((next) => setImmediate(next));
      await plug.unplug();
      await waitFor(() => hub.status().buses[0]?.up === false);
      await plug.plug();
      await waitFor(() => acknowledged.every((count) => count === round));
    }
    const presses = await pressesOf(hub);
    expect(new Set(presses).size).toBe(presses.length);
    expect(presses).toHaveLength(9);
  });

  test("what comes while nothing else happens is delivered at once", async () => {
    const stack = newStack();
    const plug = ptyPlug(stack);
    await plug.plug();
    const openLine = await createLines(clock);
    const heard = Promise.withResolvers<string>();
    const opened = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const [near, far] = [plug.ours, plug.theirs].map((end, i) =>
      openLine(end, 38_400, {
        opened: () => opened[i]?.resolve(),
        closed: ignore,
        data: (bytes) => heard.resolve(Buffer.from(bytes).toString()),
      }),
    );
    stack.defer(async () => void (await Promise.all([near?.close(), far?.close()])));
    await Promise.all(opened.map(({ promise }) => promise));
    const writer = spawn("sh", ["-c", `sleep 0.3; printf hello > "${plug.theirs}"`]);
    stack.defer(() => void writer.kill());
    expect(await heard.promise).toBe("hello");
  });

  test("a port that is not there is said with its reason, and opened when it comes", async () => {
    const stack = newStack();
    const plug = ptyPlug(stack);
    const openLine = await createLines(clock);
    const reasons: string[] = [];
    const opened = Promise.withResolvers<void>();
    const line = openLine(plug.ours, 38_400, {
      opened: opened.resolve,
      closed: (reason) => reasons.push(reason),
      data: ignore,
    });
    stack.defer(() => line.close());
    await waitFor(() => reasons.length > 0);
    expect(reasons[0]).toContain(plug.ours);
    await plug.plug();
    await opened.promise;
    const before = reasons.length;
    await plug.unplug();
    await waitFor(() => reasons.length > before);
    expect(reasons.slice(before)[0]).toBe("the adapter is gone");
  });
});

describe("a wire bus on a serial server", () => {
  test("carries the same frames over TCP, and a lost connection is made anew", async () => {
    const stack = newStack();
    const { devices, hear, onData } = bareBus();
    let connection: Socket | null = null;
    let connections = 0;
    const server = createServer({ noDelay: true }, (socket) => {
      connection = socket;
      connections++;
      socket.on("data", hear);
      socket.on("error", ignore);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    stack.defer(() => {
      connection?.destroy();
      server.close();
    });
    onData((bytes) => connection?.write(bytes));
    const { port } = server.address() as { port: number };
    const hub = await hubOn(`tcp://127.0.0.1:${port}`, await createLines(clock), stack);
    for (const device of devices) device.join();
    await waitFor(() => devices.every(({ isJoined }) => isJoined));
    let acknowledged = 0;
    devices[1]?.onEvent(({ type }) => {
      if (type === "acknowledged") acknowledged++;
    });
    devices[1]?.send(2, pressReport(1));
    (connection as Socket | null)?.destroy();
    await waitFor(() => connections === 2);
    await waitFor(() => acknowledged === 1);
    expect(await pressesOf(hub)).toHaveLength(1);
    expect(hub.status().buses[0]).toMatchObject({ up: true });
  });
});
