import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../protocols/cose.ts";
import { decodePoll, encodePoll, openPoll, type Poll, sealPoll } from "../../protocols/poll.ts";
import { bitFlips, codeOf, testAnyBytes } from "./promises.ts";
import { HUB_KEY, keyring, REALM, SEALED_ENROLMENT } from "./samples.ts";

const POLL: Poll = {
  version: 1,
  hub: HUB_KEY.kid,
  boot: 4,
  sequence: 0,
  headHash: sha256Hex(SEALED_ENROLMENT),
  intervalMs: 8000,
  monotonicMs: 1234,
  time: { unixMs: 12, uncertaintyMs: Number.MAX_SAFE_INTEGER, source: "none" },
  backlog: 0,
};

describe("poll", () => {
  testAnyBytes({ encode: encodePoll, decode: decodePoll }, [encodePoll(POLL)]);

  test("opens to what the hub said, also before its first record and with its clock in 1970", () => {
    const sealed = sealPoll(POLL, REALM, HUB_KEY);
    const opened = openPoll(sealed, REALM, keyring(HUB_KEY));
    expect(opened).toEqual({ poll: POLL, kid: HUB_KEY.kid, hash: sha256Hex(sealed) });
  });

  test("each flipped bit of each byte is refused", () => {
    for (const changed of bitFlips(sealPoll(POLL, REALM, HUB_KEY))) {
      expect(codeOf(() => openPoll(changed, REALM, keyring(HUB_KEY)))).toBeDefined();
    }
  });

  test("a promise of an interval of 0 ms is refused", () => {
    expect(codeOf(() => encodePoll({ ...POLL, intervalMs: 0 }))).toBe("field");
  });
});
