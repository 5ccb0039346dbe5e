/** The ledger's disk fails and comes back: nothing is acknowledged meanwhile, nothing is lost. */
import { expect, test } from "vitest";
import { createSystemClock } from "../../centre/clock.ts";
import type { Arrival } from "../../centre/incidents/incident.ts";
import { openLedgerInThread } from "../../centre/ledger/open.ts";
import { createHubLink, type HubSession } from "../../centre/receive/hub-link.ts";
import { createIntake } from "../../centre/receive/intake.ts";
import { createQuarantine, QUARANTINE_LIMITS } from "../../centre/receive/quarantine.ts";
import { sha256Hex } from "../../protocols/cose.ts";
import { sealEvent } from "../../protocols/event.ts";
import { joinSequence, splitSequence } from "../../protocols/mqtt-topics.ts";
import { openReceipt, type Receipt } from "../../protocols/receipt.ts";
import { createSigningKey, createVerifyingKey, generatePrivateKeyPem } from "../../protocols/signature.ts";
import { EVENT } from "./hub-double.ts";
import { hashOf, hubRow } from "./ledger-contract.ts";

const REALM = "tugma-test";

async function intakeWorld() {
  const ledger = openLedgerInThread({ path: ":memory:" });
  const hubKey = createSigningKey(generatePrivateKeyPem());
  const centreKey = createSigningKey(generatePrivateKeyPem());
  const row = hubRow(hubKey.kid, { publicKey: hubKey.publicKey });
  await ledger.addInvite(hashOf("i"), 10);
  await ledger.enrol(hashOf("i"), 0, row);
  const [stored] = await ledger.hubs();
  if (stored === undefined) throw new Error("no hub");
  const link = createHubLink(stored, 10_000);
  const receipts: Receipt[] = [];
  const arrivals: Arrival[] = [];
  const faults: (string | null)[] = [];
  const counters: Record<string, number> = {};
  const verifying = createVerifyingKey(centreKey.publicKey, centreKey.alg);
  const session: HubSession = {
    seen: 0,
    proven: 0,
    gather() {},
    close() {},
    send: (_, payload) => {
      for (const item of splitSequence(payload))
        receipts.push(openReceipt(item, REALM, () => verifying).receipt);
    },
  };
  let failing: string | null = null;
  const groups: number[] = [];
  const intake = createIntake({
    ledger: {
      append: (records) => {
        groups.push(records.length);
        return failing === null ? ledger.append(records) : Promise.reject(new Error(failing));
      },
    },
    clock: createSystemClock(),
    signer: { realm: REALM, receiver: "c", key: centreKey },
    quarantine: createQuarantine(ledger),
    onArrival: (arrival) => {
      arrivals.push(arrival);
      return null;
    },
    incidentOf: () => null,
    onExtent: (hub, extent) => {
      hub.extent = extent;
    },
    onFault: (fault) => faults.push(fault),
    count: (name) => {
      counters[name] = (counters[name] ?? 0) + 1;
    },
  });
  let previous = sha256Hex(row.enrolment);
  let sequence = 0;
  const next = () => {
    sequence += 1;
    const bytes = sealEvent(
      { ...EVENT, hub: hubKey.kid, sequence, previous, time: { ...EVENT.time, unixMs: Date.now() } },
      REALM,
      hubKey,
    );
    previous = sha256Hex(bytes);
    return bytes;
  };
  const receive = (...records: Uint8Array[]) => intake.receive(link, session, joinSequence(records));
  return {
    ledger,
    link,
    session,
    intake,
    receive,
    next,
    receipts,
    arrivals,
    faults,
    counters,
    groups,
    fail: (why: string | null) => (failing = why),
  };
}

test("while the disk refuses nothing is acknowledged, answered or shown; when it takes again the same record is", async () => {
  const world = await intakeWorld();
  const bytes = world.next();
  world.fail("database or disk is full");
  await expect(world.receive(bytes)).rejects.toThrow(/full/);
  expect([world.receipts, world.arrivals]).toEqual([[], []]);
  expect(world.faults).toEqual(["database or disk is full"]);
  world.fail(null);
  await world.receive(bytes);
  expect(world.receipts).toMatchObject([{ sequence: 1, result: "stored", complete: 1 }]);
  expect([world.arrivals.length, world.faults.at(-1)]).toEqual([1, null]);
});

test("messages of one moment share one commit and one receipt; what comes meanwhile waits for no other", async () => {
  const world = await intakeWorld();
  await Promise.all(Array.from({ length: 10 }, () => world.receive(world.next())));
  expect(world.groups).toEqual([10]);
  expect(world.receipts).toMatchObject([{ sequence: 10, complete: 10, more: [] }]);
});

test("a burst is cut into groups, in order", async () => {
  const world = await intakeWorld();
  await Promise.all(Array.from({ length: 1_000 }, () => world.receive(world.next())));
  expect(world.groups).toEqual([256, 256, 256, 232]);
  expect(world.arrivals.map(({ event }) => event.sequence)).toEqual(
    Array.from({ length: 1_000 }, (_, i) => i + 1),
  );
  expect(world.receipts.map(({ complete }) => complete)).toEqual([256, 512, 768, 1_000]);
});

test("a hub that sends rubbish without end fills no disk", async () => {
  const world = await intakeWorld();
  const rubbish = () => world.intake.receive(world.link, world.session, new Uint8Array(5_000).fill(1));
  for (let n = 0; n < 500; n++) await rubbish();
  expect(world.counters["quarantined"]).toBe(500);
  const kept = await world.ledger.quarantined(1_000);
  expect(kept.length).toBeLessThan(QUARANTINE_LIMITS.burst + 10);
  expect(kept[0]).toMatchObject({ hub: world.link.id, code: "cose" });
  expect(kept[0]?.bytes.length).toBe(QUARANTINE_LIMITS.headBytes);
});
