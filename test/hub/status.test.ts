import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { askHub, type StatusDoor, startStatusDoor } from "../../hub/status.ts";

let dir: string;
let socket: string;
let door: StatusDoor;
const devices = new Map<string, unknown>();

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), "tugma-status-"));
  socket = path.join(dir, "status.sock");
  writeFileSync(socket, ""); // what a crashed hub leaves behind
  devices.clear();
  door = await startStatusDoor(socket, {
    status: () => ({ counters: { "semtech.badJson": 3 } }),
    listDevices: () => [...devices.keys()],
    addDevices: async (rows) => {
      if (!Array.isArray(rows)) throw new Error("devices: a list is expected");
      for (const { devEui } of rows as { devEui: string }[]) devices.set(devEui, {});
      return { added: rows.length };
    },
    removeDevice: async (devEui) => devices.delete(devEui),
    setDevice: async (devEui, wish) => {
      if (!devices.has(devEui)) throw new Error(`there is no device ${devEui}`);
      devices.set(devEui, wish);
      return wish;
    },
    silence: () => 2,
  });
});

afterEach(async () => {
  await door.close();
  rmSync(dir, { recursive: true });
});

describe("the hub's status door", () => {
  test("is for the hub's own user only", () => {
    expect(statSync(socket).mode & 0o777).toBe(0o600);
  });

  test("status as JSON, counters as metrics", async () => {
    expect(await askHub(socket, "GET", "/status")).toEqual({ counters: { "semtech.badJson": 3 } });
    expect(await askHub(socket, "GET", "/metrics")).toContain("tugma_hub_semtech_badjson 3");
  });

  test("local sirens are silenced", async () => {
    expect(await askHub(socket, "POST", "/annunciators/silence")).toEqual({ silenced: 2 });
  });

  test("devices are added, listed and removed", async () => {
    const rows = [{ devEui: "aa00000000000001" }];
    expect(await askHub(socket, "POST", "/devices", rows)).toEqual({ added: 1 });
    expect(await askHub(socket, "GET", "/devices")).toEqual(["aa00000000000001"]);
    expect(await askHub(socket, "DELETE", "/devices/aa00000000000001")).toEqual({});
    await expect(askHub(socket, "DELETE", "/devices/aa00000000000001")).rejects.toThrow("no device");
  });

  test("a refusal reaches the asker in words; an unknown route too", async () => {
    await expect(askHub(socket, "POST", "/devices", {})).rejects.toThrow("a list is expected");
    await expect(askHub(socket, "GET", "/silence")).rejects.toThrow("no route GET /silence");
  });

  test("no hub on the socket is null, not an error", async () => {
    expect(await askHub(path.join(dir, "nobody.sock"), "GET", "/status")).toBeNull();
  });
});
