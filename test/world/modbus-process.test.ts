/** The whole hub as a process, a slave of libmodbus on a real serial line, a centre over TLS: the hub is killed, and the
 *  line pulled, while the panel burns. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createSystemClock } from "../../centre/clock.ts";
import { startPart } from "../../hardware/demo/process.ts";
import { waitFor } from "../centre/hub-double.ts";
import { hasSlave, openPtyPair, slaveFolder, startSlave } from "../hub/modbus/slave.ts";
import { openFar } from "./far.ts";

const ZONE_1 = 40_000;
const ARMED = 24 << 8;
const FIRE = (37 << 8) | 24;
const LIMIT_MS = 15_000;

test.skipIf(!hasSlave())(
  "a fire is at the centre once, though the hub is killed in its middle, and so is its end",
  async () => {
    const stack = new AsyncDisposableStack();
    onTestFinished(() => stack.disposeAsync());
    const { dir, binary } = slaveFolder(stack);
    const pty = await openPtyPair(dir, stack);
    const slave = await startSlave(binary, ["rtu", pty.theirs, "9600", "1"], stack);
    for (const at of [0, 1, 2]) await slave.tell(`holding ${ZONE_1 + at} ${ARMED}`);
    const hubDir = path.join(dir, "hub");
    mkdirSync(hubDir);
    const { centre } = await openFar(
      { dir: path.join(dir, "centre"), hubDir, clock: createSystemClock() },
      stack,
    );
    writeFileSync(path.join(hubDir, "hub.yaml"), hubYaml(pty.ours));
    const start = async () => {
      const part = startPart(["hub", "run", "--dir", hubDir], path.join(dir, "hub.log"));
      stack.defer(part.stop);
      await part.said("udpPort");
      return part;
    };
    const incidents = () => centre.incidents().filter(({ kind }) => kind === "smoke");
    const marked = (mark: "restored") => incidents()[0]?.marks.includes(mark);
    const heard = (polls: number) => waitFor(() => slave.requests.length >= polls, LIMIT_MS);

    const first = await start();
    await heard(3);
    await slave.tell(`holding ${ZONE_1 + 1} ${FIRE}`);
    await waitFor(() => incidents().length === 1, LIMIT_MS);
    await first.kill();
    const polled = slave.requests.length;
    const second = await start();
    await heard(polled + 5);
    expect(incidents()).toMatchObject([
      { place: { zone: "Cellar" }, repeats: 0, eventNumbers: [[1, 1]], marks: ["unauthenticated"] },
    ]);
    await slave.tell(`holding ${ZONE_1 + 1} ${ARMED}`);
    await waitFor(() => marked("restored"), LIMIT_MS);
    await second.stop();
    expect(centre.incidents().map(({ kind }) => kind)).toEqual(["smoke"]);
    expect(new Set(slave.requests.map(([functionCode]) => functionCode))).toEqual(new Set([3]));
  },
  40_000,
);

function hubYaml(device: string): string {
  return `
region: EU433
semtechUdp: { port: 0 }
broker: { port: 0 }
modbus:
  buses:
    - name: fire
      path: ${device}
      units:
        - name: panel
          unit: 1
          profile: bolid-c2000-pp
          pollMs: 200
          site: Chilonzor 9
          points: [{ at: 1, zone: Stairs }, { at: 2, zone: Cellar }, { at: 3, zone: Roof }]
`;
}
