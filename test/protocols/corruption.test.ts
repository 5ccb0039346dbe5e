/** What carries a signature or a checksum, with every byte changed to each of its 255 other values; and every way in that
 *  takes bytes from outside, with any bytes at all. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openCommand } from "../../protocols/command.ts";
import { openSign1 } from "../../protocols/cose.ts";
import { openEnrolment } from "../../protocols/enrolment.ts";
import { openEvent, sealEvent } from "../../protocols/event.ts";
import { decodeEvidence, encodeEvidence } from "../../protocols/evidence.ts";
import { createAesKey, openJoinAccept } from "../../protocols/lorawan/crypto.ts";
import { joinSequence, splitSequence } from "../../protocols/mqtt-topics.ts";
import { openPoll } from "../../protocols/poll.ts";
import { openReceipt, sealReceipt } from "../../protocols/receipt.ts";
import { codeOf, otherBytes, refusedOrCanonical } from "./promises.ts";
import {
  CENTRE_KEY,
  chain,
  event,
  HUB_KEY,
  keyring,
  REALM,
  receipt,
  receiptFor,
  SEALED_ENROLMENT,
} from "./samples.ts";

/** How many of the changes were not refused; each is tried. */
function taken(good: Uint8Array, open: (bytes: Uint8Array) => unknown): number {
  expect(codeOf(() => open(good))).toBeUndefined();
  let count = 0;
  for (const changed of otherBytes(good)) if (codeOf(() => open(changed)) === undefined) count++;
  return count;
}

describe("each of the 255 changes of each byte is refused", () => {
  test("in a record", () => {
    const sealed = sealEvent(event(), REALM, HUB_KEY);
    expect(taken(sealed, (bytes) => openEvent(bytes, REALM, keyring(HUB_KEY)))).toBe(0);
  }, 60_000);

  test("in a receipt", () => {
    const sealed = sealReceipt(receipt(), REALM, CENTRE_KEY);
    expect(taken(sealed, (bytes) => openReceipt(bytes, REALM, keyring(CENTRE_KEY)))).toBe(0);
  }, 60_000);

  test("in an evidence file", () => {
    const [record] = chain(1);
    if (record === undefined) throw new Error("no record");
    const file = encodeEvidence({
      realm: REALM,
      enrolment: SEALED_ENROLMENT,
      records: [record],
      receipts: [receiptFor(record, 1)],
      keys: [
        { kid: HUB_KEY.kid, publicKey: HUB_KEY.publicKey, alg: HUB_KEY.alg, role: "hub" },
        { kid: CENTRE_KEY.kid, publicKey: CENTRE_KEY.publicKey, alg: CENTRE_KEY.alg, role: "receipt" },
      ],
      acts: [],
    });
    // what this refuses, the verdict on a file calls a flaw: evidence.test.ts
    expect(taken(file, decodeEvidence)).toBe(0);
  }, 60_000);
});

describe("any bytes at all", () => {
  const noise = fc.uint8Array({ maxLength: 400 });
  const keys = keyring(HUB_KEY);
  const doors: Record<string, (bytes: Uint8Array) => unknown> = {
    openSign1: (bytes) => openSign1(bytes, new Uint8Array(0), keys),
    openEvent: (bytes) => openEvent(bytes, REALM, keys),
    openReceipt: (bytes) => openReceipt(bytes, REALM, keys),
    openPoll: (bytes) => openPoll(bytes, REALM, keys),
    openCommand: (bytes) => openCommand(bytes, REALM, keys),
    openEnrolment: (bytes) => openEnrolment(bytes, REALM, keys),
    openJoinAccept: (bytes) => openJoinAccept(createAesKey("00".repeat(16)), bytes),
  };

  test.each(Object.entries(doors))("are refused with a CodecError by %s", (_, open) => {
    fc.assert(
      fc.property(noise, (bytes) => {
        expect(codeOf(() => open(bytes))).toBeDefined();
      }),
      { numRuns: 1_000, seed: 4 },
    );
  });

  test("come apart into items that join to the same bytes, or are refused", () => {
    const codec = { encode: joinSequence, decode: splitSequence };
    const good = joinSequence(chain(3));
    const spoilt = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => good.with(at, byte));
    fc.assert(
      fc.property(fc.oneof(noise, spoilt), (bytes) => {
        refusedOrCanonical(codec, bytes);
      }),
      { numRuns: 3_000, seed: 4 },
    );
  });
});
