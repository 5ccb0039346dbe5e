import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { domain, sealSign1 } from "../../protocols/cose.ts";
import { encodeEvent, sealEvent } from "../../protocols/event.ts";
import { createSigningKey, generatePrivateKeyPem } from "../../protocols/signature.ts";
import { startWorld, type World } from "./centre-world.ts";
import { createHub, type HubDouble, publishRaw, waitFor } from "./hub-double.ts";

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.end());

const incidentsOf = (hub: HubDouble) =>
  world.centre.incidents().filter((incident) => incident.hub === hub.id);
const quarantined = () => world.centre.status().counters["quarantined"] ?? 0;

test("a press is stored, acknowledged, receipted for exactly that record, and shown", async () => {
  const hub = await world.newHub();
  const { bytes, hash, event } = hub.next();
  await hub.publish(bytes);
  const receipt = await hub.wait(() => hub.receiptFor(1));
  const expected = {
    hub: hub.id,
    sequence: 1,
    recordHash: hash,
    result: "stored",
    stage: "received",
    complete: 1,
    more: [],
  };
  expect(receipt).toMatchObject(expected);
  const [incident] = incidentsOf(hub);
  expect(incident).toMatchObject({
    id: receipt.incident,
    kind: "panic",
    priority: "life",
    stage: "new",
    device: event.device,
  });
  expect(incident?.proof).toEqual({
    signature: "verified",
    chain: "complete",
    time: "good",
    equivocation: false,
  });
});

test("a backlog in one message is answered by one receipt that covers it", async () => {
  const hub = await world.newHub();
  const records = Array.from({ length: 200 }, () => hub.next());
  await hub.publish(...records.map(({ bytes }) => bytes));
  const receipt = await hub.wait(() => hub.receipts.find(({ complete }) => complete === 200));
  expect(receipt).toMatchObject({ sequence: 200, recordHash: records[199]?.hash, more: [] });
  expect(hub.receipts.length).toBe(1);
  expect(incidentsOf(hub)).toMatchObject([{ repeats: 199 }]);
});

test("the same record again: one incident, the first ledger index, result duplicate", async () => {
  const hub = await world.newHub();
  const { bytes } = hub.next();
  await hub.publish(bytes);
  await hub.publish(bytes);
  const again = await hub.wait(() => hub.receipts.find(({ result }) => result === "duplicate"));
  expect(again).toMatchObject({
    sequence: 1,
    ledgerIndex: hub.receiptFor(1)?.ledgerIndex,
    incident: incidentsOf(hub)[0]?.id,
  });
  expect(incidentsOf(hub)).toMatchObject([{ repeats: 0 }]);
});

test("an alarm that overtakes its backlog is answered by name, never by a `complete` that covers what is not here", async () => {
  const hub = await world.newHub();
  const first = hub.next();
  const late = [hub.next({ kind: "heartbeat" }), hub.next({ kind: "heartbeat" })];
  const alarm = hub.next();
  await hub.publish(first.bytes);
  await hub.publish(alarm.bytes);
  const receipt = await hub.wait(() => hub.receiptFor(4));
  expect(receipt).toMatchObject({ recordHash: alarm.hash, result: "storedAfterGap", complete: 1 });
  expect(incidentsOf(hub)[0]).toMatchObject({ marks: ["gap"], proof: { chain: "pending" } });
  const command = await hub.wait(() => hub.commands[0]);
  expect(command).toMatchObject({ type: "resend", hub: hub.id, from: 2, to: 3 });
  await hub.publish(...late.map(({ bytes }) => bytes));
  await hub.wait(() => hub.receipts.find(({ complete }) => complete === 4));
  expect(incidentsOf(hub)[0]?.proof.chain).toBe("complete");
});

test("what stays missing is asked for again", async () => {
  const hub = await world.newHub();
  hub.next();
  await hub.publish(hub.next().bytes);
  const [first, second] = await hub.wait(() => hub.commands.length >= 2 && hub.commands);
  expect(first?.nonce).not.toBe(second?.nonce);
  expect(second).toMatchObject({ from: 1, to: 1 });
});

test("two records at one place: both kept, a top incident of its own, and no silence for the second press", async () => {
  const hub = await world.newHub();
  await hub.publish(hub.next().bytes);
  const other = hub.next({ sequence: 1, kind: "smoke", eventNumber: 99 });
  await hub.publish(other.bytes);
  const receipt = await hub.wait(() => hub.receipts.find(({ recordHash }) => recordHash === other.hash));
  expect(receipt).toMatchObject({ sequence: 1, complete: 1 });
  const kinds = incidentsOf(hub).map(({ kind, priority, proof }) => [kind, priority, proof.equivocation]);
  expect(kinds.sort()).toEqual([
    ["equivocation", "life", true],
    ["panic", "life", true],
    ["smoke", "life", true],
  ]);
  await hub.publish(other.bytes);
  await hub.wait(() => hub.receipts.filter(({ recordHash }) => recordHash === other.hash)[1]);
  expect(incidentsOf(hub).length).toBe(3);
});

test("a hub that was set back to an old image is never told that the centre has what it has not", async () => {
  const hub = await world.newHub();
  const records = Array.from({ length: 8 }, () => hub.next());
  await hub.publish(...records.map(({ bytes }) => bytes));
  await hub.wait(() => hub.receiptFor(8));
  await hub.end();
  // the image knows records 1-3 only; it writes others from 4 on, and its newest alarm overtakes
  const image = createHub(hub.keys, hub.answer);
  for (const { event } of records.slice(0, 3)) image.next(event);
  const forked = Array.from({ length: 9 }, () => image.next({ eventNumber: 99 }));
  await image.connect();
  await image.publish(forked[8]?.bytes ?? new Uint8Array());
  expect(await image.wait(() => image.receiptFor(12))).toMatchObject({ complete: 0 });
  for (const { bytes } of forked.slice(0, 8)) await image.publish(bytes);
  for (const { hash } of forked) {
    await image.wait(() =>
      image.receipts.some((r) => r.recordHash === hash || r.more.some((more) => more.recordHash === hash)),
    );
  }
  expect(Math.max(...image.receipts.map(({ complete }) => complete))).toBeLessThanOrEqual(3);
  await image.end();
});

test("a link that does not name its predecessor is stored and marked", async () => {
  const hub = await world.newHub();
  await hub.publish(hub.next({ kind: "heartbeat" }).bytes);
  await hub.publish(hub.next({ previous: "ee".repeat(32) }).bytes);
  await hub.wait(() => hub.receiptFor(2));
  expect(incidentsOf(hub)[0]).toMatchObject({ marks: ["chainBroken"], proof: { chain: "gap" } });
});

describe("time is marked and never refused", () => {
  const cases = {
    "no clock": { unixMs: 1_000_000, uncertaintyMs: 0, source: "none" },
    "a clock in 1970": { unixMs: 1_000_000, uncertaintyMs: 50, source: "rtc" },
    "a day ahead": { unixMs: Date.now() + 86_400_000, uncertaintyMs: 50, source: "ntp" },
    "an uncertain clock": { unixMs: Date.now(), uncertaintyMs: 3_600_000, source: "rtc" },
  } as const;
  for (const [name, time] of Object.entries(cases)) {
    test(name, async () => {
      const hub = await world.newHub();
      await hub.publish(hub.next({ time }).bytes);
      expect(await hub.wait(() => hub.receiptFor(1))).toMatchObject({ result: "storedBadTime" });
      expect(incidentsOf(hub)[0]).toMatchObject({ marks: ["badTime"], proof: { time: "uncertain" } });
    });
  }
});

describe("what is no record is acknowledged, kept apart, and never an incident", () => {
  let hub: HubDouble;
  let stranger: HubDouble;
  beforeAll(async () => {
    hub = await world.newHub();
    stranger = await world.newHub();
  });
  const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
  const good = () => hub.next({ sequence: 1 });
  const cases: Record<string, () => Uint8Array> = {
    "nothing at all": () => new Uint8Array(),
    noise: () => new Uint8Array(300).fill(0x5a),
    "a cut record": () => good().bytes.subarray(0, -1),
    "a byte too many": () => Buffer.concat([good().bytes, Uint8Array.of(0)]),
    "a wrong signature": () => flipped(good().bytes, good().bytes.length - 1),
    "a changed payload": () => flipped(good().bytes, 60),
    "an unknown key": () =>
      sealEvent(good().event, hub.answer.realm, createSigningKey(generatePrivateKeyPem())),
    "another hub's record": () => stranger.next({ sequence: 1 }).bytes,
    "another hub's name under this key": () => hub.next({ sequence: 1, hub: stranger.id }).bytes,
    "a record of another realm": () => sealEvent(good().event, "tugma-live", hub.keys.sign),
    "a receipt in place of a record": () =>
      sealSign1(encodeEvent(good().event), domain("receipt", hub.answer.realm), hub.keys.sign),
    "signed, but not canonical": () =>
      sealSign1(
        Buffer.concat([Uint8Array.of(0xb8), encodeEvent(good().event)]),
        domain("event", hub.answer.realm),
        hub.keys.sign,
      ),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    test(name, async () => {
      const before = quarantined();
      await publishRaw(hub.client, `hub/${hub.id}/record`, bytes());
      await hub.wait(() => quarantined() > before);
      expect(hub.receipts).toEqual([]);
      expect(incidentsOf(hub)).toEqual([]);
      expect(incidentsOf(stranger)).toEqual([]);
    });
  }

  test("beside a good one in the same message, the good one is taken", async () => {
    const one = await world.newHub();
    const { bytes } = one.next();
    const foreign = stranger.next({ sequence: 1 }).bytes;
    await publishRaw(one.client, `hub/${one.id}/record`, Buffer.concat([foreign, bytes]));
    await one.wait(() => one.receiptFor(1));
    expect(incidentsOf(one).length).toBe(1);
  });
});

describe("the door", () => {
  const refused = async (hub: HubDouble, topic: string, qos: 0 | 1 | 2, bytes: Uint8Array) => {
    const closed = new Promise<void>((resolve) => hub.client.once("close", () => resolve()));
    publishRaw(hub.client, topic, bytes, qos).catch(() => {
      // the connection ends: that is what is looked at
    });
    await closed;
  };

  test.each([0, 2] as const)(
    "a record with QoS %i is refused: only QoS 1 has an answer that means stored",
    async (qos) => {
      const hub = await world.newHub();
      await refused(hub, `hub/${hub.id}/record`, qos, hub.next().bytes);
      expect(incidentsOf(hub)).toEqual([]);
    },
  );

  test("no other topic can be published to, and no other can be heard", async () => {
    const [hub, other] = [await world.newHub(), await world.newHub()];
    for (const topic of [
      `hub/${other.id}/record`,
      `hub/${hub.id}/receipt`,
      `hub/${hub.id}/command`,
      "x",
      "$SYS/x",
    ]) {
      await refused(hub, topic, 1, hub.next().bytes);
      await hub.connect();
    }
    const topics = [
      `hub/${other.id}/receipt`,
      "hub/+/receipt",
      "#",
      "$SYS/#",
      `hub/${hub.id}/record`,
      `hub/${hub.id}/receipt/#`,
    ];
    const granted = await hub.client.subscribeAsync(topics, { qos: 1 }).catch((error: Error) => error);
    expect(String(granted)).toMatch(/Unspecified error/);
    await other.publish(other.next().bytes);
    await other.wait(() => other.receiptFor(1));
    expect(hub.receipts).toEqual([]);
    expect(incidentsOf(hub)).toEqual([]);
  });

  test("a packet that claims more than a mebibyte ends the connection before it is collected", async () => {
    const hub = await world.newHub();
    await refused(hub, `hub/${hub.id}/record`, 1, new Uint8Array(1_100_000));
    expect(world.centre.status().counters["oversizedPackets"]).toBe(1);
  });

  test("a second connection of the same hub takes over; another hub's client id takes over nothing", async () => {
    const [hub, other] = [await world.newHub(), await world.newHub()];
    const second = createHub(hub.keys, hub.answer);
    const ended = new Promise<void>((resolve) => hub.client.once("close", () => resolve()));
    await second.connect();
    await ended;
    await second.publish(second.next().bytes);
    await second.wait(() => second.receiptFor(1));
    expect(other.client.connected).toBe(true);
    await second.end();
  });

  test("a revoked hub is cut off and stays out", async () => {
    const hub = await world.newHub();
    const ended = new Promise<void>((resolve) => hub.client.once("close", () => resolve()));
    expect(await world.centre.revokeHub(hub.id)).toBe(true);
    await ended;
    await expect(hub.connect()).rejects.toThrow(/closed/);
  });
});

/** Stage receipts without their hub's acknowledgement, by the ledger's own file. */
function undeliveredStages(dir: string, hub: string): number {
  const db = new DatabaseSync(path.join(dir, "ledger.sqlite"), { readOnly: true });
  try {
    return Number(
      db.prepare("SELECT count(*) AS n FROM receipts WHERE hub = ? AND delivered_ms IS NULL").get(hub)?.["n"],
    );
  } finally {
    db.close();
  }
}

describe("an operator's stages", () => {
  const act = (
    type: "take" | "dispatch" | "close" | "note",
    incident: string,
    operator = "Nodira",
    extra: object = {},
  ) =>
    world.centre.act({
      type,
      incident,
      operator,
      atMs: Date.now(),
      key: `${type} ${incident} ${operator}`,
      ...extra,
    });

  test("each reaches the hub as a further receipt for the same record", async () => {
    const hub = await world.newHub();
    const { bytes, hash } = hub.next();
    await hub.publish(bytes);
    const id = (await hub.wait(() => incidentsOf(hub)[0])).id;
    for (const [type, stage] of [
      ["take", "taken"],
      ["dispatch", "dispatched"],
      ["close", "closed"],
    ] as const) {
      expect(await act(type, id, "Nodira", { cause: "false alarm" })).toMatchObject({
        ok: true,
        incident: { stage },
      });
      const receipt = await hub.wait(() => hub.receiptFor(1, stage));
      expect(receipt).toMatchObject({ recordHash: hash, incident: id, sequence: 1 });
    }
  });

  test("one owner: the second operator is refused, by name of the first", async () => {
    const hub = await world.newHub();
    await hub.publish(hub.next().bytes);
    const id = (await hub.wait(() => incidentsOf(hub)[0])).id;
    const both = await Promise.all([act("take", id, "Nodira"), act("take", id, "Aziz")]);
    expect(both.map(({ ok }) => ok)).toEqual([true, false]);
    expect(both[1]).toMatchObject({ reason: "Nodira has it already." });
    expect(await act("dispatch", id, "Aziz")).toMatchObject({ ok: false });
    expect(await act("take", id, "Nodira")).toMatchObject({ ok: true });
  });

  test("a stage that came while the hub was away waits for it, the highest one only", async () => {
    const hub = await world.newHub();
    await hub.publish(hub.next().bytes);
    const id = (await hub.wait(() => incidentsOf(hub)[0])).id;
    await hub.end();
    await act("take", id);
    await act("dispatch", id);
    await hub.connect();
    await hub.wait(() => hub.receiptFor(1, "dispatched"));
    expect(hub.receiptFor(1, "taken")).toBeUndefined();
    // delivered means acknowledged by the hub, and then it is not said again
    await expect.poll(() => undeliveredStages(world.dir, hub.id)).toBe(0);
    const dispatched = () => hub.receipts.filter(({ stage }) => stage === "dispatched").length;
    const said = dispatched();
    await hub.end();
    await hub.connect();
    await act("note", id, "Nodira", { text: "called back" });
    await act("close", id, "Nodira", { cause: "helped" });
    await hub.wait(() => hub.receiptFor(1, "closed"));
    expect(dispatched()).toBe(said);
  });

  test("a drill is its own incident below every real one, and cannot cover a real press of the same button", async () => {
    const hub = await world.newHub();
    await hub.publish(hub.next({ mode: "drill", drill: "autumn" }).bytes, hub.next().bytes);
    await hub.wait(() => hub.receiptFor(2));
    expect(incidentsOf(hub).map(({ mode, drill, kind }) => [mode, drill, kind])).toEqual([
      ["drill", "autumn", "panic"],
      ["real", null, "panic"],
    ]);
  });
});

describe("the link to a hub", () => {
  test("two missed polls open a fault, the next sign of life closes it", async () => {
    const hub = await world.newHub("Yunusobod 4");
    await hub.poll({ intervalMs: 1 });
    const lost = await waitFor(() => incidentsOf(hub)[0]);
    expect(lost).toMatchObject({
      kind: "pathDown",
      priority: "fault",
      device: null,
      place: { site: "Yunusobod 4" },
    });
    expect(world.centre.hubs().find(({ id }) => id === hub.id)?.link).toBe("down");
    await hub.poll({ intervalMs: 60_000 });
    const back = await waitFor(() => incidentsOf(hub).find(({ stage }) => stage === "closed"));
    expect(back.history.map(({ type }) => type)).toEqual(["opened", "ended"]);
    expect(world.centre.hubs().find(({ id }) => id === hub.id)?.link).toBe("up");
  });

  test("an old poll played again is no sign of life", async () => {
    const hub = await world.newHub();
    await hub.poll();
    const before = quarantined();
    const again = createHub(hub.keys, hub.answer);
    await again.connect();
    await again.poll();
    await waitFor(() => quarantined() > before);
    await again.end();
  });

  test("records that a poll says exist are asked for when they do not come", async () => {
    const hub = await world.newHub();
    await hub.publish(hub.next().bytes);
    await hub.poll({ sequence: 5 });
    await waitFor(() => world.centre.hubs().find(({ id, head }) => id === hub.id && head === 5));
  });
});

test("after a restart everything is as it was, and polls are still supervised", async () => {
  const hub = await world.newHub();
  await hub.publish(hub.next().bytes, hub.next({ device: "70b3d57ed0060002" }).bytes);
  await hub.wait(() => hub.receiptFor(2));
  const [first] = incidentsOf(hub);
  await world.centre.act({
    type: "take",
    incident: first?.id ?? "",
    operator: "Nodira",
    atMs: 5,
    key: "restart",
  });
  const before = world.centre.incidents();
  await world.restart();
  const sorted = (list: typeof before) => [...list].sort((a, b) => a.id.localeCompare(b.id));
  expect(sorted(world.centre.incidents())).toEqual(sorted(before));
  expect(
    await world.centre.act({
      type: "take",
      incident: first?.id ?? "",
      operator: "Nodira",
      atMs: 6,
      key: "restart",
    }),
  ).toMatchObject({ ok: true });
  await hub.connect();
  await hub.publish(hub.next().bytes);
  expect(await hub.wait(() => hub.receiptFor(3))).toMatchObject({ complete: 3, incident: first?.id });
});
