import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFeed, type Feed, type FeedEvent } from "../../../centre/web/feed.ts";
import type { ToWeb } from "../../../centre/web-link.ts";
import { NO_QUARANTINE, sampleIncident } from "../../browser/samples.ts";

const status = { ledgerFault: null, connections: 0, counters: {} };
const snapshot = (cursor = 0): ToWeb => ({
  type: "snapshot",
  cursor,
  incidents: [],
  hubs: [],
  quarantine: NO_QUARANTINE,
  status,
});
const change = (cursor: number, id: string): ToWeb => ({
  type: "change",
  cursor,
  incident: sampleIncident({ id, kind: "panic", openedMs: cursor }),
});
const names = (events: readonly FeedEvent[]) => events.map((event) => event.event);

function feedOf(changes: number): Feed {
  const feed = createFeed("e1");
  feed.apply(snapshot());
  for (let i = 1; i <= changes; i++) feed.apply(change(i, String(i)));
  return feed;
}

describe("resuming", () => {
  test("a page that has seen nothing gets the whole picture", () => {
    expect(names(feedOf(3).since(null))).toEqual(["snapshot"]);
  });

  test("a page that missed changes gets exactly those, in order, and what carries no cursor anew", () => {
    const events = feedOf(5).since("e1-3");
    expect(events.map((event) => event.id)).toEqual(["e1-4", "e1-5", null, null, null]);
    expect(names(events.slice(2))).toEqual(["hubs", "quarantine", "status"]);
  });

  test("a position of another process, of the future, out of memory or of nonsense means the whole picture", () => {
    for (const id of ["e0-3", "e1-6", "e1-", "e1-x", "e1--1", ""])
      expect(names(feedOf(5).since(id))).toEqual(["snapshot"]);
    expect(names(feedOf(3000).since("e1-500"))).toEqual(["snapshot"]);
    expect(feedOf(3000).since("e1-1000")).toHaveLength(2003);
  });

  test("before the core has spoken there is nothing to tell", () => {
    const feed = createFeed("e1");
    expect(feed.since(null)).toEqual([]);
    expect(feed.picture()).toBeNull();
    expect(feed.apply(change(1, "1"))).toEqual([]);
  });

  test("wherever the stream is cut, the picture afterwards is the same", () => {
    const ids = fc.array(fc.constantFrom("1", "2", "3"), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(ids, fc.nat(30), (order, cut) => {
        const feed = createFeed("e1");
        const page = new Map<string, unknown>();
        const take = (events: readonly FeedEvent[]) => {
          for (const { event, data } of events) {
            const { incident } = data as { incident: { id: string } };
            if (event === "change") page.set(incident.id, incident);
          }
        };
        feed.apply(snapshot());
        order.forEach((id, i) => {
          const events = feed.apply(change(i + 1, id));
          if (i < cut) take(events);
        });
        take(feed.since(`e1-${Math.min(cut, order.length)}`).filter((event) => event.event === "change"));
        for (const [id, incident] of page) expect(feed.incident(id)).toEqual(incident);
        expect(page.size).toBe(new Set(order).size);
      }),
    );
  });
});

test("closed incidents are forgotten, the longest closed first; open ones never", () => {
  const feed = feedOf(0);
  for (let i = 1; i <= 700; i++) {
    const incident = sampleIncident({ id: String(i), kind: "panic", openedMs: i });
    feed.apply({
      type: "change",
      cursor: i,
      incident: i === 1 ? incident : { ...incident, stage: "closed" },
    });
  }
  expect(feed.incident("1")).toBeDefined();
  expect(feed.incident("2")).toBeUndefined();
  expect(feed.incident("700")).toBeDefined();
});
