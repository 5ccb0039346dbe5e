/** What the hub's own broker says about presses, heard by an observer with a name and a secret. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import mqtt from "mqtt";
import { expect, onTestFinished, test } from "vitest";
import { createSystemClock } from "../../centre/clock.ts";
import { createSystemClock as createHubClock } from "../../hub/clock.ts";
import { parseConfig } from "../../hub/config.ts";
import { addBrokerUser } from "../../hub/credentials.ts";
import { withDeviceTables } from "../../hub/journal/offline.ts";
import { startHub } from "../../hub/main.ts";
import type { Mode } from "../../protocols/device/report.ts";
import { deviceTopic, EVENT_TOPIC } from "../../protocols/mqtt-topics.ts";
import { waitFor } from "../centre/hub-double.ts";
import { openFar } from "./far.ts";
import { openStreet, STREET_BUTTON, STREET_ROW } from "./street.ts";

interface Heard {
  readonly topic: string;
  readonly retain: boolean;
  readonly body: { kind?: string; mode?: Mode; stage?: string; eventNumber?: number };
}

const STATE = deviceTopic("state", STREET_BUTTON);

/** A hub with its broker, a centre, and somebody who watches. */
async function watchedHub() {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-broker-"));
  stack.defer(() => rmSync(dir, { recursive: true }));
  const hubDir = path.join(dir, "hub");
  mkdirSync(hubDir);
  const far = await openFar({ dir: path.join(dir, "centre"), hubDir, clock: createSystemClock() }, stack);
  withDeviceTables(path.join(hubDir, "journal.sqlite"), (tables) => tables.saveDevice(STREET_ROW));
  const password = addBrokerUser(hubDir, "wall", "observer");
  const quiet = () => undefined;
  const hub = await startHub({
    dir: hubDir,
    config: parseConfig("region: EU433\nsemtechUdp: { port: 0 }\nbroker: { port: 0 }", "hub.yaml"),
    clock: createHubClock(),
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
  stack.defer(hub.stop);
  const street = await openStreet(hub.udpPort);
  stack.defer(street.close);
  const observe = async () => {
    const heard: Heard[] = [];
    const client = await mqtt.connectAsync({
      ...{ host: "127.0.0.1", port: hub.mqttPort ?? 0, username: "wall", password },
    });
    stack.defer(() => client.endAsync(true));
    client.on("message", (topic, payload, { retain }) => {
      heard.push({ topic, retain, body: JSON.parse(payload.toString("utf8")) });
    });
    await client.subscribeAsync([EVENT_TOPIC, STATE], { qos: 1 });
    return heard;
  };
  await waitFor(() => hub.status().paths[0]?.up && hub.status().paths[0]?.backlog === 0);
  return { ...far, hub, street, observe };
}

test("a drill is one in every announcement, and a real press during it is a real one", async () => {
  const world = await watchedHub();
  const heard = await world.observe();
  expect(await world.street.press(1, "drill")).toBe("received");
  expect(await world.street.press(2, "real")).toBe("received");
  const of = (topic: string, eventNumber: number) =>
    heard
      .filter((one) => one.topic === topic && one.body.eventNumber === eventNumber)
      .map(({ body }) => body);
  await waitFor(() => of(STATE, 2).some(({ stage }) => stage === "received"));
  expect(of(EVENT_TOPIC, 1)).toMatchObject([{ kind: "panic", mode: "drill" }]);
  expect(of(EVENT_TOPIC, 2)).toMatchObject([{ kind: "panic", mode: "real" }]);
  expect(of(STATE, 1)).toMatchObject([
    { mode: "drill", stage: "stored" },
    { mode: "drill", stage: "received" },
  ]);
  expect(of(STATE, 2)).toMatchObject([
    { mode: "real", stage: "stored" },
    { mode: "real", stage: "received" },
  ]);
});

test("what becomes of a drill never hides an open real alarm of the same button from who looks later", async () => {
  const world = await watchedHub();
  const heard = await world.observe();
  await world.street.press(1, "drill");
  await world.street.press(2, "real");
  const drill = world.centre.incidents().find(({ mode }) => mode === "drill");
  const taken = {
    type: "take",
    incident: drill?.id ?? "",
    operator: "Nodira",
    atMs: Date.now(),
    key: "1",
  } as const;
  expect(await world.centre.act(taken)).toMatchObject({ ok: true });
  await waitFor(() => heard.some(({ body }) => body.stage === "taken"));
  // and one more drill after it
  await world.street.press(3, "drill");
  await waitFor(() => heard.some(({ topic, body }) => topic === STATE && body.eventNumber === 3));
  const later = await world.observe();
  await waitFor(() => later.some(({ topic }) => topic === STATE));
  expect(later.filter(({ topic }) => topic === STATE)).toMatchObject([
    { retain: true, body: { mode: "real", eventNumber: 2, stage: "received" } },
  ]);
});
