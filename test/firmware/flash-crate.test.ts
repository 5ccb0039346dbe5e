/** `tugma flash`: what it says of each board is true on the board, at the hub and on the label. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { flashProfile } from "../../hardware/flash-profile.ts";
import { deviceDoor } from "../../hub/device-door.ts";
import { labelCode } from "../../hub/flash/label.ts";
import { withDeviceTables } from "../../hub/journal/offline.ts";
import { startStatusDoor } from "../../hub/status.ts";
import { needs } from "../debian.ts";
import { boardOnPort, crateFolder, tugmaFlash } from "./flash-crate.ts";

const PLACE = ["--role", "entrance-button", "--site", "Chilonzor", "--region", "EU433"];

function single(port: string, profile: string, dir: string): string[] {
  const who = ["--port", port, "--name", "Bog‘iston 14-1", "--zone", "Entrance 1"];
  return [...who, ...PLACE, "--profile", profile, "--dir", dir, "--json"];
}

function rowsOf(dir: string) {
  return withDeviceTables(path.join(dir, "journal.sqlite"), (tables) => tables.load());
}

describe("a crate of eight, two of them bad", () => {
  test("six are registered and labelled, two are named, and the exit status says so", async () => {
    const { dir, profile } = crateFolder();
    const faulty = [{ board: "MICROBIT2" }, { faults: { unplugAfterBytes: 5_000 } }];
    const good = [
      {},
      {},
      { faults: { packets: "refused" } },
      { faults: { flipByte: 3_000 } },
      {},
      {},
    ] as const;
    const boards = await Promise.all(
      [...faulty, ...good].map((options, at) =>
        boardOnPort({ ...options, serial: `board-${at}`, seed: at + 1 }),
      ),
    );
    const csv = path.join(dir, "crate.csv");
    const rows = boards.map(({ port }, at) => `${port};Entrance ${at};Hall ${at}`);
    writeFileSync(csv, `port;name;zone\n${rows.join("\n")}\n`);
    const { status, results } = await tugmaFlash([
      csv,
      ...PLACE,
      "--profile",
      profile,
      "--dir",
      dir,
      "--json",
    ]);

    expect(status).toBe(74);
    expect(results.map(({ outcome }) => outcome)).toEqual([
      ...Array(2).fill("failed"),
      ...Array(6).fill("flashed"),
    ]);
    expect(results[0]?.reason).toMatch(/this is a MICROBIT2/);
    expect(results[1]?.reason).toMatch(/the board is gone/);
    const devices = rowsOf(dir);
    expect(devices.map(({ name }) => name).sort()).toEqual([2, 3, 4, 5, 6, 7].map((at) => `Entrance ${at}`));
    for (const { port, board } of boards.slice(2)) {
      const identity = JSON.parse(board.storage.read("identity") ?? "");
      const device = devices.find(({ devEui }) => devEui === identity.devEui);
      expect(device?.appKey).toBe(identity.appKey);
      expect(device?.devEui).toMatch(/^.[26ae]/);
      expect(board.board()?.errors).toEqual([]);
      expect(results.find((result) => result.port === port)?.devEui).toBe(identity.devEui);
    }
    expect(new Set(devices.map(({ appKey }) => appKey)).size).toBe(6);
    expect(readdirSync(path.join(dir, "labels"))).toHaveLength(12);
    // the failed ones may be tried again; nobody else is waited for
    expect(JSON.parse(readFileSync(path.join(dir, "flash-pending.json"), "utf8"))).toHaveLength(1);
  }, 30_000);

  test("no key leaves the board, the journal and the hub's memory: not in lines, lists or labels", async () => {
    const { dir, profile } = crateFolder();
    const { port } = await boardOnPort({});
    const args = single(port, profile, dir).filter((arg) => arg !== "--json");
    const { status, lines, errors } = await tugmaFlash(args);
    expect(status, errors.join("\n")).toBe(0);
    const [device] = rowsOf(dir);
    const files = readdirSync(path.join(dir, "labels")).map((file) =>
      readFileSync(path.join(dir, "labels", file), "latin1"),
    );
    for (const text of [
      ...lines,
      ...errors,
      ...files,
      readFileSync(path.join(dir, "flash-pending.json"), "utf8"),
    ])
      expect(text.toLowerCase()).not.toContain(device?.appKey);
  });
});

describe("a board that is flashed again", () => {
  test("keeps its identity; nothing is written, nothing registered twice", async () => {
    const { dir, profile } = crateFolder();
    const first = await boardOnPort({});
    const once = await tugmaFlash(single(first.port, profile, dir));
    // its finger on the button: the console is closed otherwise
    const files = first.board.storage.snapshot();
    const again = await boardOnPort({ files, isHeld: true });
    const twice = await tugmaFlash(single(again.port, profile, dir));
    expect([once.status, twice.status]).toEqual([0, 0]);
    expect(twice.results[0]).toMatchObject({ devEui: once.results[0]?.devEui, written: [] });
    expect(rowsOf(dir)).toHaveLength(1);
  });

  test("for another place is refused until the hub has let go of it", async () => {
    const { dir, profile } = crateFolder();
    const first = await boardOnPort({});
    await tugmaFlash(single(first.port, profile, dir));
    const again = await boardOnPort({ files: first.board.storage.snapshot(), isHeld: true });
    const elsewhere = single(again.port, profile, dir).map((arg) =>
      arg === "Entrance 1" ? "Entrance 2" : arg,
    );
    const { status, results } = await tugmaFlash(elsewhere);
    expect(status).toBe(74);
    expect(results[0]?.reason).toMatch(/tugma device remove [0-9a-f]{16}/);
    expect(again.board.storage.read("identity")).toBe(first.board.storage.read("identity"));
    // it was only asked: it works on
    expect(again.board.board()?.powered).toBe(true);
  });

  test("with an identity from elsewhere becomes a new device: a key that others may know is not taken over", async () => {
    const { dir, profile } = crateFolder();
    const foreign = { devEui: "0200000000000009", joinEui: "0200000000000001", appKey: "00".repeat(16) };
    const { port, board } = await boardOnPort({
      files: { identity: JSON.stringify(foreign), session: "old" },
    });
    const { results } = await tugmaFlash(single(port, profile, dir));
    expect(results[0]?.outcome).toBe("flashed");
    expect(results[0]?.devEui).not.toBe(foreign.devEui);
    expect(rowsOf(dir)[0]?.appKey).not.toBe(foreign.appKey);
    expect(board.storage.read("session")).toBeUndefined();
  });
});

test("a hub that refuses: the board is said to be written, and running again heals it with the same identity", async () => {
  const { dir, profile } = crateFolder();
  const refusing = await startStatusDoor(path.join(dir, "status.sock"), {
    status: () => ({ counters: {} }),
    listDevices: () => [],
    addDevices: () => Promise.reject(new Error("the journal takes nothing")),
    removeDevice: async () => false,
    setDevice: () => Promise.reject(new Error("nobody asks")),
    silence: () => 0,
  });
  const first = await boardOnPort({});
  const refused = await tugmaFlash(single(first.port, profile, dir));
  await refusing.close();
  expect(refused.status).toBe(75);
  expect(refused.results[0]).toMatchObject({
    outcome: "unregistered",
    reason: expect.stringContaining("the journal takes nothing"),
  });
  const again = await boardOnPort({ files: first.board.storage.snapshot(), isHeld: true });
  const healed = await tugmaFlash(single(again.port, profile, dir));
  expect(healed.status).toBe(0);
  expect(healed.results[0]).toMatchObject({ devEui: refused.results[0]?.devEui, written: [] });
  expect((await deviceDoor(dir).list()).map(({ devEui }) => devEui)).toEqual([refused.results[0]?.devEui]);
});

test("pins come from the build of the role, and a board without these pins is refused", async () => {
  const { dir } = crateFolder();
  const without = (port: string) => {
    const args = single(port, "", dir);
    return args.filter((_, at) => args[at] !== "--profile" && args[at - 1] !== "--profile");
  };
  const [good, other] = [await boardOnPort({}), await boardOnPort({ board: "PICO_R1_3" })];
  expect((await tugmaFlash(without(good.port))).status).toBe(0);
  const { profile } = JSON.parse(good.board.storage.read("identity") ?? "");
  expect(profile).toEqual(flashProfile("entrance-button-rak3172")?.pins);
  const { status, results } = await tugmaFlash(without(other.port));
  expect(status).toBe(74);
  expect(results[0]?.reason).toMatch(/this is a PICO_R1_3; the pins are those of MDBT42Q/);
});

test("Ctrl-C ends it at once: what is not done is said to be so, and is not registered", async () => {
  const { dir, profile } = crateFolder();
  const { port } = await boardOnPort({ faults: { slowMs: 5 } });
  const args = single(port, profile, dir).filter((arg) => arg !== "--json");
  const { status, errors } = await tugmaFlash(args, ".bootcde 25 %");
  expect(status).toBe(74);
  expect(errors.join("\n")).toMatch(/stopped before it was done/);
  expect(rowsOf(dir)).toEqual([]);
});

test("one board behind two ports is one board", async () => {
  const { dir, profile } = crateFolder();
  const boards = await Promise.all([boardOnPort({ serial: "same" }), boardOnPort({ serial: "same" })]);
  const csv = path.join(dir, "crate.csv");
  writeFileSync(csv, `port,name,zone\n${boards.map(({ port }, at) => `${port},E ${at},Z`).join("\n")}\n`);
  const { status, results } = await tugmaFlash([csv, ...PLACE, "--profile", profile, "--dir", dir, "--json"]);
  expect(status).toBe(74);
  expect(results.map(({ outcome }) => outcome).sort()).toEqual(["failed", "flashed"]);
});

describe("a list with mistakes", () => {
  test("is refused as a whole, each mistake with its line, and no board is touched", async () => {
    const { dir, profile } = crateFolder();
    const csv = path.join(dir, "crate.csv");
    writeFileSync(
      csv,
      "port,name,zone,role,region\n/dev/a,A,Z,entrance-button,EU433\n/dev/a,B,Z,toaster,MARS\n",
    );
    const { status, errors } = await tugmaFlash([csv, "--site", "S", "--profile", profile, "--dir", dir]);
    expect(status).toBe(65);
    expect(errors.join("\n")).toMatch(/line 3: role: there are entrance-button/);
    expect(errors.join("\n")).toMatch(/line 3: region: .*MARS/);
    expect(errors.join("\n")).toMatch(/line 3: the port \/dev\/a is also in .*line 2/);
  });

  test("no arguments, an unknown option, a port that is not there", async () => {
    const { dir, profile } = crateFolder();
    expect((await tugmaFlash([])).status).toBe(64);
    expect((await tugmaFlash(["--app-key", "00"])).status).toBe(64);
    const { status, results } = await tugmaFlash(single("/dev/no-such-port", profile, dir));
    expect(status).toBe(74);
    expect(results[0]?.reason).toMatch(/no-such-port/);
  });

  test("a folder that is no hub's is said before any board is touched", async () => {
    const { dir, profile } = crateFolder();
    const { status, errors } = await tugmaFlash(single("/dev/any", profile, path.join(dir, "nowhere")));
    expect(status).toBe(69);
    expect(errors.join()).toMatch(/nowhere: no hub's folder.*tugma hub enrol/);
  });

  test("--dry-run touches no board", async () => {
    const { dir, profile } = crateFolder();
    const { status, lines } = await tugmaFlash([...single("/dev/no-such-port", profile, dir), "--dry-run"]);
    expect(status).toBe(0);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject([{ role: "entrance-button", uplink: "rak3172" }]);
  });
});

test.skipIf(!needs("zbarimg"))("labels are read back by zbarimg, from PNG as printed", async () => {
  const { dir, profile } = crateFolder();
  const { port } = await boardOnPort({});
  const { results } = await tugmaFlash(single(port, profile, dir));
  const png = results[0]?.labels.find((file) => file.endsWith(".png")) ?? "";
  const read = execFileSync("zbarimg", ["--quiet", "--raw", png], { encoding: "utf8" }).trim();
  const devEui = results[0]?.devEui ?? "";
  expect(read).toBe(labelCode({ joinEui: "0200000000000001", devEui }));
  expect(read).toMatch(/^LW:D0:[0-9A-F]{16}:[0-9A-F]{16}:[0-9A-F]{8}$/);
});
