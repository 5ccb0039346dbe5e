/** The whole hub as a process whose machine has the wrong time: TLS, certificates, journal and records see only that. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createSystemClock } from "../../centre/clock.ts";
import { startPart } from "../../hardware/demo/process.ts";
import { loadIdentity } from "../../hub/enrolments.ts";
import { openJournalInThread } from "../../hub/journal/host.ts";
import { withDeviceTables } from "../../hub/journal/offline.ts";
import { askHub } from "../../hub/status.ts";
import type { EventRecord } from "../../protocols/event.ts";
import { waitFor } from "../centre/hub-double.ts";
import { needs } from "../debian.ts";
import { buildFalseClock, type FalseClock } from "./false-clock.ts";
import { openFar } from "./far.ts";
import { openStreet, STREET_BUTTON, STREET_ROW } from "./street.ts";

const DAY_MS = 86_400_000;

interface Status {
  readonly paths: readonly { readonly up: boolean }[];
  readonly time: EventRecord["time"];
}

/** A centre here, with the right time, and a hub process with another. */
async function openStreetWorld(set: (clock: FalseClock) => void) {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-clock-"));
  stack.defer(() => rmSync(dir, { recursive: true }));
  const hubDir = path.join(dir, "hub");
  mkdirSync(hubDir);
  const far = await openFar({ dir: path.join(dir, "centre"), hubDir, clock: createSystemClock() }, stack);
  writeFileSync(
    path.join(hubDir, "hub.yaml"),
    "region: EU433\nsemtechUdp: { port: 0 }\nbroker: { port: 0 }\n",
  );
  withDeviceTables(path.join(hubDir, "journal.sqlite"), (tables) => tables.saveDevice(STREET_ROW));
  const clock = buildFalseClock(dir);
  stack.defer(clock.close);
  set(clock);
  const part = startPart(["hub", "run", "--dir", hubDir], path.join(dir, "hub.log"), {
    ...process.env,
    ...clock.env,
  });
  stack.defer(part.stop);
  const { udpPort } = await part.said<{ udpPort: number }>("udpPort");
  const street = await openStreet(udpPort);
  stack.defer(street.close);
  return {
    ...{ ...far, street, clock, part },
    /** Settles when the hub says so of its own time, or of its path. */
    async until(done: (status: Status) => boolean) {
      const ask = () => askHub(path.join(hubDir, "status.sock"), "GET", "/status") as Promise<Status>;
      await expect.poll(async () => done(await ask()), { timeout: 10_000, interval: 20 }).toBe(true);
    },
    /** Once the hub has ended. */
    async records(): Promise<EventRecord[]> {
      const { hub, realm, genesis, signingKeyPem: privateKeyPem } = loadIdentity(hubDir);
      await using journal = await openJournalInThread({
        ...{ path: path.join(hubDir, "journal.sqlite"), genesis, hub, realm, privateKeyPem },
        configHash: "00".repeat(8),
        stamp: () => ({ time: { unixMs: 0, uncertaintyMs: 0, source: "none" }, monotonicMs: 0 }),
      });
      return (await journal.read(0, 1_000)).map(({ event }) => event);
    },
  };
}

test.skipIf(!needs("gcc"))(
  "a machine that starts in 1970 delivers over mutual TLS, and the button hears received",
  async () => {
    const world = await openStreetWorld((clock) => clock.set(60_000));
    await world.until(({ time }) => time.source === "centre");
    expect(await world.street.press(1)).toBe("received");
    expect(world.centre.incidents()).toMatchObject([
      { kind: "panic", device: STREET_BUTTON, proof: { time: "good", signature: "verified" } },
    ]);
    await world.part.stop();
    const [started, panic] = await world.records();
    expect(started?.kind).toBe("hubStarted");
    expect(started?.time.source).toBe("none");
    // so the process has really been there
    expect(started?.time.unixMs).toBeLessThan(DAY_MS);
    expect(panic).toMatchObject({ kind: "panic", time: { source: "centre" } });
    expect(Math.abs((panic?.time.unixMs ?? 0) - Date.now())).toBeLessThan(60_000);
  },
);

test.skipIf(!needs("gcc")).each([DAY_MS, -DAY_MS])(
  "a machine whose clock steps by %i ms goes on delivering",
  async (stepMs) => {
    const world = await openStreetWorld(() => undefined);
    await world.until(({ time }) => time.source === "centre");
    expect(await world.street.press(1)).toBe("received");
    world.clock.step(stepMs);
    expect(await world.street.press(2)).toBe("received");
    // a new connection under the new time: certificates are judged again
    world.line.cut();
    await world.until(({ paths }) => paths[0]?.up === false);
    world.line.restore();
    expect(["stored", "received"]).toContain(await world.street.press(3));
    // the start, three presses, and the step as a record of its own
    await waitFor(() => world.centre.hubs()[0]?.complete === 5);
    await world.part.stop();
    expect(world.centre.incidents()).toMatchObject([
      { kind: "panic", device: STREET_BUTTON, eventNumbers: [[1, 3]], proof: { time: "good" } },
    ]);
    const steps = (await world.records()).filter(({ kind }) => kind === "clockStep");
    expect(steps).toHaveLength(1);
    expect(Number(/by (-?\d+) ms/.exec(steps[0]?.note ?? "")?.[1])).toBeCloseTo(stepMs, -4);
  },
);
