import { describe, expect, test } from "vitest";
import { KINDS } from "../../protocols/device/kinds.ts";
import { decodeEvent, encodeEvent } from "../../protocols/event.ts";
import {
  EVENT_KINDS,
  type EventKind,
  eventKindOf,
  HUB_KINDS,
  type HubKind,
} from "../../protocols/hub-kinds.ts";
import { event } from "./samples.ts";

const kinds = Object.keys(EVENT_KINDS) as EventKind[];

/** A new kind is one line in kinds.ts or hub-kinds.ts: these tests take it up by themselves. */
describe.each(kinds)("event kind %s", (kind) => {
  const row = EVENT_KINDS[kind];

  test("has its id alone, a known priority and both codes of the alarm industry", () => {
    expect(kinds.filter((other) => EVENT_KINDS[other].id === row.id)).toEqual([kind]);
    expect(eventKindOf(row.id)).toBe(kind);
    expect(["life", "intrusion", "fault", "info"]).toContain(row.priority);
    expect(row.sia).toMatch(/^[A-Z]{2}$/);
    expect(row.contactId).toBeGreaterThanOrEqual(100);
    expect(row.contactId).toBeLessThanOrEqual(999);
  });

  test("travels in a record", () => {
    expect(decodeEvent(encodeEvent(event({ kind }))).kind).toBe(kind);
  });
});

test.each(Object.keys(HUB_KINDS) as HubKind[])("hub kind %s cannot be said by a device", (kind) => {
  expect(HUB_KINDS[kind].id).toBeGreaterThanOrEqual(32);
  expect(Object.keys(KINDS)).not.toContain(kind);
});

test("an id without a kind is no kind", () => {
  for (const id of [0, 31, 255, 65_535]) expect(eventKindOf(id)).toBeUndefined();
});
