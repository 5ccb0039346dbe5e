import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { authenticate, judgePublish, mayHear, maySubscribe } from "../../../hub/broker/access.ts";
import type { BrokerUser } from "../../../hub/broker/messages.ts";

const hash = (secret: string) => createHash("sha256").update(secret).digest("hex");
const A = "aa00000000000001";
const B = "bb00000000000002";
const board: BrokerUser = { name: A, role: "device", secretHash: hash("board") };
const observer: BrokerUser = { name: "flows", role: "observer", secretHash: hash("watch") };
const users = new Map([board, observer].map((u) => [u.name, u]));

describe("access to the hub's broker", () => {
  test("nobody without a name, with a wrong name or a wrong secret", () => {
    expect(authenticate(users, undefined, undefined)).toBeUndefined();
    expect(authenticate(users, A, undefined)).toBeUndefined();
    expect(authenticate(users, A, Buffer.from("watch"))).toBeUndefined();
    expect(authenticate(users, "nobody", Buffer.from("board"))).toBeUndefined();
    expect(authenticate(users, A, Buffer.from("board"))).toBe(board);
  });

  test("a board says its own frames at QoS 1 and nothing else", () => {
    expect(judgePublish(board, `tugma/device/${A}/up`, 1, 23)).toEqual({ verdict: "uplink", devEui: A });
    expect(judgePublish(board, `tugma/device/${A}/up`, 0, 23).verdict).toBe("refused");
    expect(judgePublish(board, `tugma/device/${A}/up`, 1, 257).verdict).toBe("refused");
    expect(judgePublish(board, `tugma/device/${A}/up`, 1, 0).verdict).toBe("refused");
    for (const topic of [
      `tugma/device/${B}/up`,
      `tugma/device/${A}/down`,
      "tugma/event",
      "tugma/request/status",
    ])
      expect(judgePublish(board, topic, 1, 23).verdict).toBe("refused");
  });

  test("no observer can publish anything but a question, whatever the topic", () => {
    const word = fc.constantFrom(
      "tugma",
      "device",
      "event",
      "hub",
      "request",
      "state",
      A,
      "up",
      "silence",
      "+",
      "#",
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 5 }), (words) => {
        const topic = words.join("/");
        const judged = judgePublish(observer, topic, 1, 10);
        expect(judged.verdict).toBe(/^tugma\/request\/[a-z]+$/.test(topic) ? "request" : "refused");
      }),
    );
  });

  test("a board hears its own downlinks only; an observer hears no frames, even through a wildcard", () => {
    expect(maySubscribe(board, `tugma/device/${A}/down`)).toBe(true);
    for (const filter of ["#", "tugma/#", `tugma/device/${B}/down`, "tugma/device/+/down", "$SYS/#"])
      expect(maySubscribe(board, filter)).toBe(false);
    expect(maySubscribe(observer, "tugma/#")).toBe(true);
    expect(maySubscribe(observer, "#")).toBe(false);
    expect(mayHear(observer, `tugma/device/${A}/state`)).toBe(true);
    expect(mayHear(observer, `tugma/device/${A}/up`)).toBe(false);
    expect(mayHear(observer, `tugma/device/${A}/down`)).toBe(false);
  });
});
