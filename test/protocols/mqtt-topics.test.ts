import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  centreTopic,
  DEVICE_CHANNELS,
  deviceTopic,
  EVENT_TOPIC,
  HUB_CHANNELS,
  HUB_STATE_TOPIC,
  joinSequence,
  MAX_SEQUENCE_ITEMS,
  parseCentreTopic,
  parseHubTopic,
  requestTopic,
  responseTopic,
  splitSequence,
} from "../../protocols/mqtt-topics.ts";
import { codeOf } from "./promises.ts";
import { chain } from "./samples.ts";

const ID = "70b3d57ed0000001";

describe("topics", () => {
  test("of the centre's broker", () => {
    expect(HUB_CHANNELS.map((channel) => centreTopic(channel, ID))).toEqual([
      `hub/${ID}/record`,
      `hub/${ID}/receipt`,
      `hub/${ID}/poll`,
      `hub/${ID}/command`,
    ]);
    for (const type of HUB_CHANNELS)
      expect(parseCentreTopic(centreTopic(type, ID))).toEqual({ type, hub: ID });
  });

  test("of the hub's broker", () => {
    expect(DEVICE_CHANNELS.map((channel) => deviceTopic(channel, ID))).toEqual([
      `tugma/device/${ID}/state`,
      `tugma/device/${ID}/availability`,
      `tugma/device/${ID}/up`,
      `tugma/device/${ID}/down`,
    ]);
    for (const channel of DEVICE_CHANNELS) {
      expect(parseHubTopic(deviceTopic(channel, ID))).toEqual({ type: "device", channel, device: ID });
    }
    expect(parseHubTopic(HUB_STATE_TOPIC)).toEqual({ type: "hubState" });
    expect(parseHubTopic(EVENT_TOPIC)).toEqual({ type: "event" });
    expect(parseHubTopic(requestTopic("permit_join"))).toEqual({ type: "request", name: "permit_join" });
    expect(parseHubTopic(responseTopic("permit_join"))).toEqual({ type: "response", name: "permit_join" });
  });

  test("no id can bring in a wildcard, a level, or another spelling of itself", () => {
    const ids = [
      "+",
      "#",
      "",
      ID.toUpperCase(),
      `${ID}/up`,
      `${ID}\n`,
      ` ${ID}`,
      ID.slice(1),
      `${ID}0`,
      "../x",
      "$SYS",
    ];
    for (const id of ids) {
      expect(codeOf(() => centreTopic("record", id))).toBe("topic");
      expect(codeOf(() => deviceTopic("up", id))).toBe("topic");
      if (id !== "") expect(codeOf(() => requestTopic(id === ID.slice(1) ? "A" : `${id}+`))).toBe("topic");
      expect(parseCentreTopic(`hub/${id}/record`)).toBeNull();
      expect(parseHubTopic(`tugma/device/${id}/state`)).toBeNull();
    }
  });

  test("a topic is read only when it is built the same", () => {
    const part = fc.constantFrom(
      "hub",
      "tugma",
      "device",
      "request",
      "event",
      "state",
      "up",
      "record",
      ID,
      "+",
      "",
      "x",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const topic = parts.join("/");
        const centre = parseCentreTopic(topic);
        if (centre !== null) expect(centreTopic(centre.type, centre.hub)).toBe(topic);
        const hub = parseHubTopic(topic);
        if (hub?.type === "device") expect(deviceTopic(hub.channel, hub.device)).toBe(topic);
        else if (hub?.type === "request") expect(requestTopic(hub.name)).toBe(topic);
        else if (hub !== null) expect(topic).toBe(hub.type === "event" ? EVENT_TOPIC : HUB_STATE_TOPIC);
      }),
    );
  });

  test.each([
    "hub",
    `hub/${ID}`,
    `hub/${ID}/record/x`,
    `tugma/device/${ID}/up/x`,
    "tugma/event/x",
    "tugma/request/a/b",
  ])("%s is no topic of ours", (topic) => {
    expect(parseCentreTopic(topic)).toBeNull();
    expect(parseHubTopic(topic)).toBeNull();
  });
});

describe("sequence of COSE_Sign1", () => {
  const records = chain(5);

  test("comes apart into what was joined", () => {
    expect(splitSequence(joinSequence(records)).map((item) => Buffer.from(item))).toEqual(
      records.map((record) => Buffer.from(record)),
    );
    const [first] = records;
    expect(splitSequence(first ?? new Uint8Array())).toHaveLength(1);
  });

  test("a cut anywhere but between two items is refused", () => {
    const whole = joinSequence(records);
    const ends = new Set<number>();
    for (let i = 1; i <= records.length; i++) ends.add(joinSequence(records.slice(0, i)).length);
    for (let end = 0; end <= whole.length; end++) {
      expect(codeOf(() => splitSequence(whole.subarray(0, end)))).toBe(ends.has(end) ? undefined : "cose");
    }
  });

  test("holds 256 items and 1 MiB and not more", () => {
    const [record = new Uint8Array()] = records;
    const full = new Array<Uint8Array>(MAX_SEQUENCE_ITEMS).fill(record);
    expect(splitSequence(joinSequence(full))).toHaveLength(MAX_SEQUENCE_ITEMS);
    expect(codeOf(() => joinSequence([...full, record]))).toBe("size");
    expect(codeOf(() => splitSequence(Buffer.concat([...full, record])))).toBe("size");
    expect(codeOf(() => splitSequence(new Uint8Array(1024 * 1024 + 1)))).toBe("size");
  });
});
