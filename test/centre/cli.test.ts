import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../centre/cli.ts";
import { COMMENTED_CONFIG } from "../../centre/config.ts";
import { verifyEvidence } from "../../protocols/evidence.ts";
import { startWorld, type World } from "./centre-world.ts";
import { createHubKeys, enrolBody, postEnrol } from "./hub-double.ts";

const stopped = mkdtempSync(path.join(tmpdir(), "centre-cli-"));
let world: World;

beforeAll(async () => {
  world = await startWorld();
  writeFileSync(path.join(world.dir, "centre.yaml"), "enrol: { port: 8884 }\n");
});
afterAll(async () => {
  await world.end();
  rmSync(stopped, { recursive: true });
});

async function centre(...args: string[]) {
  const [out, error]: [string[], string[]] = [[], []];
  const io = {
    print: (line: string) => out.push(line),
    printError: (line: string) => error.push(line),
    signal: AbortSignal.timeout(60_000),
  };
  const exit = await run(args, io);
  return { exit, out: out.join("\n"), error: error.join("\n"), json: () => JSON.parse(out.join("\n")) };
}

test("a wrong command line says how it goes, exit 64", async () => {
  for (const args of [
    [],
    ["fly"],
    ["run", "a", "b"],
    ["invite", "--nonsense"],
    ["toString"],
    ["evidence", "1"],
  ]) {
    const { exit, error } = await centre(...args);
    expect([exit, error.startsWith("usage: tugma centre")]).toEqual([64, true]);
  }
});

test("init makes keys and a commented configuration, and keeps both the second time", async () => {
  const first = (await centre("init", "--dir", stopped, "--json")).json();
  expect(readFileSync(path.join(stopped, "centre.yaml"), "utf8")).toBe(COMMENTED_CONFIG);
  expect(statSync(path.join(stopped, "keys", "ca.pem")).mode & 0o777).toBe(0o600);
  expect((await centre("init", "--dir", stopped, "--json")).json()).toEqual(first);
});

test("without a configuration, or with a wrong one, exit 78 and what to do", async () => {
  const none = await centre("run", "--dir", path.join(stopped, "none"));
  expect([none.exit, none.error]).toEqual([78, expect.stringMatching(/centre\.yaml.*tugma centre init/)]);
});

test("invite works on the ledger of a stopped centre, and beside a running one", async () => {
  const { code, expiresMs } = (await centre("invite", "--dir", stopped, "--json")).json();
  expect(code).toMatch(/^tugma-enrol:v1:localhost:8884:[A-Za-z0-9_-]{43}:[A-Za-z0-9_-]{22}$/);
  expect(expiresMs).toBeGreaterThan(Date.now() + 23 * 3_600_000);
  const live = await centre("invite", "--dir", world.dir);
  const liveCode = live.out.split("\n")[0] ?? "";
  const { status } = await postEnrol(world.centre.enrolPort, enrolBody(createHubKeys(), liveCode));
  expect(status).toBe(200);
});

test("hubs, status, revoke and evidence of a running centre", async () => {
  const hub = await world.newHub("Bektemir 9");
  await hub.publish(hub.next().bytes, hub.next({ kind: "moreReceptions", refersTo: 1 }).bytes);
  const receipt = await hub.wait(() => hub.receiptFor(2));
  const incident = world.centre.incidents().find((one) => one.hub === hub.id)?.id ?? "";
  await world.centre.act({ type: "take", incident, operator: "Nodira", atMs: Date.now(), key: "cli" });
  await hub.wait(() => hub.receiptFor(1, "taken"));

  const listed = (await centre("hubs", "--dir", world.dir, "--json")).json();
  expect(listed).toContainEqual(
    expect.objectContaining({ id: hub.id, name: "Bektemir 9", link: "up", complete: 2, head: 2 }),
  );
  expect((await centre("status", "--dir", world.dir, "--json")).json()).toMatchObject({
    ledgerFault: null,
    mqttPort: world.centre.mqttPort,
  });

  const out = path.join(stopped, "evidence");
  expect((await centre("evidence", incident, "--out", out, "--dir", world.dir)).exit).toBe(0);
  const file = readFileSync(out);
  const verdict = verifyEvidence(file, { receiptPublicKeys: [world.centre.receiptPublicKey] });
  expect(verdict.findings.filter(({ level }) => level === "flaw")).toEqual([]);
  expect(verdict.records.map(({ sequence }) => sequence)).toEqual([1, 2]);
  expect(verdict.receipts.map(({ sequence, stage }) => [sequence, stage])).toEqual([
    [1, "received"],
    [2, "received"],
    [1, "taken"],
  ]);
  expect(verdict.receipts[0]).toMatchObject({ incident, ledgerIndex: receipt.ledgerIndex - 1 });
  for (let at = 0; at < file.length; at += 7) {
    const altered = file.map((byte, i) => (i === at ? byte ^ 0x10 : byte));
    expect(verifyEvidence(altered).ok).toBe(false);
  }

  expect((await centre("evidence", "999999", "--out", out, "--dir", world.dir)).exit).toBe(65);
  expect((await centre("revoke", hub.id, "--dir", world.dir)).exit).toBe(0);
  const again = await centre("revoke", hub.id, "--dir", world.dir);
  expect([again.exit, again.error]).toEqual([65, expect.stringMatching(/tugma centre hubs/)]);
});

test("status of a centre that does not run: exit 69", async () => {
  expect((await centre("status", "--dir", stopped)).exit).toBe(69);
});

test("run answers until it is told to stop; a second one on the same folder is refused", async () => {
  writeFileSync(
    path.join(stopped, "centre.yaml"),
    "mqtt: { port: 0 }\nenrol: { port: 0 }\nweb: { port: 0 }\n",
  );
  const stop = new AbortController();
  const lines: string[] = [];
  const up = Promise.withResolvers<void>();
  const io = {
    print(line: string) {
      lines.push(line);
      up.resolve();
    },
    printError: (line: string) => lines.push(line),
    signal: stop.signal,
  };
  const running = run(["run", "--dir", stopped, "--json"], io);
  await Promise.race([up.promise, running]);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ mqttPort: expect.any(Number) });
  const second = await centre("run", "--dir", stopped);
  expect([second.exit, second.error]).toEqual([69, expect.stringMatching(/runs here already/)]);
  expect((await centre("status", "--dir", stopped)).exit).toBe(0);
  stop.abort();
  expect(await running).toBe(0);
  expect((await centre("status", "--dir", stopped)).exit).toBe(69);
});

test("a key that others can read stops the start: exit 77, which file, and what to do", async () => {
  const { chmodSync } = await import("node:fs");
  chmodSync(path.join(stopped, "keys", "receipt.pem"), 0o644);
  const { exit, error } = await centre("run", "--dir", stopped);
  expect([exit, error]).toEqual([77, expect.stringMatching(/receipt\.pem.*chmod 600/)]);
});
