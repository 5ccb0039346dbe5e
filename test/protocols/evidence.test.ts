import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { sealEnrolment } from "../../protocols/enrolment.ts";
import { type EventRecord, sealEvent } from "../../protocols/event.ts";
import {
  decodeEvidence,
  type Evidence,
  type EvidenceKey,
  encodeEvidence,
  MAX_EVIDENCE_LENGTH,
  verifyEvidence,
} from "../../protocols/evidence.ts";
import { sealReceipt } from "../../protocols/receipt.ts";
import type { SigningKey } from "../../protocols/signature.ts";
import { bitFlips, codeOf, testAnyBytes } from "./promises.ts";
import {
  CENTRE_KEY,
  chain,
  ENROLMENT,
  event,
  HUB_KEY,
  REALM,
  receipt,
  receiptFor,
  SEALED_ENROLMENT,
  TPM_KEY,
} from "./samples.ts";

const RECORDS = chain(4);
const [FIRST, SECOND, THIRD, FOURTH] = RECORDS as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
const TRUST = { receiptPublicKeys: [CENTRE_KEY.publicKey] };
const ACT = { atMs: 1_790_000_009_000, operator: "op-4", type: "take", incident: "17", text: null };

function listed(key: SigningKey, role: EvidenceKey["role"]): EvidenceKey {
  return { kid: key.kid, publicKey: key.publicKey, alg: key.alg, role };
}

function evidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    realm: REALM,
    enrolment: SEALED_ENROLMENT,
    records: RECORDS,
    receipts: [receiptFor(FOURTH, 4)],
    keys: [listed(HUB_KEY, "hub"), listed(CENTRE_KEY, "receipt")],
    acts: [ACT],
    ...changes,
  };
}

function verdict(changes: Partial<Evidence> = {}, trust?: Parameters<typeof verifyEvidence>[1]) {
  return verifyEvidence(encodeEvidence(evidence(changes)), trust);
}

/** The sentences of one level, as one text. */
function said({ findings }: ReturnType<typeof verifyEvidence>, level: string): string {
  return findings
    .filter((finding) => finding.level === level)
    .map(({ what }) => what)
    .join("\n");
}

describe("evidence file", () => {
  testAnyBytes({ encode: encodeEvidence, decode: decodeEvidence }, [encodeEvidence(evidence())], 300);

  test("comes back as it was written, the same bytes each time", () => {
    const file = encodeEvidence(
      evidence({ acts: [ACT, { ...ACT, type: "note", text: "uy egasi javob berdi" }] }),
    );
    expect(encodeEvidence(decodeEvidence(file))).toEqual(file);
    expect(decodeEvidence(file).acts[1]?.text).toBe("uy egasi javob berdi");
  });

  test("a whole file is proven: keys, chain and receipts, with the records for a reader", () => {
    const whole = verdict({}, TRUST);
    expect(said(whole, "flaw")).toBe("");
    expect(whole.ok).toBe(true);
    expect(whole.records.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
    expect(whole.receipts).toHaveLength(1);
    expect(said(whole, "ok")).toContain("none was changed, swapped or slipped in");
    expect(said(whole, "ok")).toContain("confirmed 4 records of 4");
  });

  test("without a key of the centre from elsewhere it says that the file vouches for itself only", () => {
    expect(verdict().ok).toBe(true);
    expect(said(verdict(), "note")).toContain("somebody else may have made the whole file");
    expect(said(verdict(), "note")).toContain(CENTRE_KEY.publicKey);
    expect(said(verdict({}, TRUST), "note")).not.toContain("somebody else");
  });

  test("a file by another centre is a flaw for a reader who knows the right one", () => {
    const stranger = verdict({}, { receiptPublicKeys: [TPM_KEY.publicKey] });
    expect(stranger.ok).toBe(false);
    expect(said(stranger, "flaw")).toContain("not among the 1 that you trust");
  });

  test("a file over 16 MiB is refused before it is read", () => {
    const huge = verifyEvidence(new Uint8Array(MAX_EVIDENCE_LENGTH + 1));
    expect(said(huge, "flaw")).toContain("not an evidence file that can be read");
  });
});

describe("a changed evidence file", () => {
  const file = encodeEvidence(evidence({ records: [FIRST, SECOND], receipts: [receiptFor(SECOND, 2)] }));

  test("each flipped bit of each byte is flagged, and the file refused", () => {
    for (const changed of bitFlips(file)) {
      expect(verifyEvidence(changed).ok).toBe(false);
      expect(codeOf(() => decodeEvidence(changed))).toBeDefined();
    }
  }, 60_000);

  test("each cut is flagged", () => {
    for (let end = 0; end < file.length; end++) expect(verifyEvidence(file.subarray(0, end)).ok).toBe(false);
  });

  test("with its checksum made anew, each flipped bit of enrolment, records and receipts is still flagged", () => {
    const from = Buffer.from(file).indexOf(SEALED_ENROLMENT);
    const end = Buffer.from(file).indexOf(receiptFor(SECOND, 2)) + receiptFor(SECOND, 2).length;
    expect(from).toBeGreaterThan(0);
    for (let i = from; i < end; i++) {
      const changed = new Uint8Array(file);
      changed[i] = (changed[i] ?? 0) ^ (1 << (i % 8));
      changed.set(createHash("sha256").update(changed.subarray(0, -32)).digest(), changed.length - 32);
      expect(verifyEvidence(changed).ok).toBe(false);
    }
  }, 60_000);

  test("acts and key list have no signature, and the reader is told so", () => {
    expect(said(verdict({ acts: [ACT, ACT] }), "note")).toContain("2 acts of operators");
    expect(said(verdict({ acts: [ACT, ACT] }), "note")).toContain("not signed");
  });
});

describe("what a forger can put together", () => {
  test("a record taken out is said; the rest is proven", () => {
    const gap = verdict({ records: [FIRST, FOURTH] });
    expect(gap.ok).toBe(true);
    expect(said(gap, "note")).toContain("Records 2 to 3 are not in the file");
    expect(said(gap, "note")).toContain("No receipt in the file confirms record 1");
  });

  test("records in another order, or one twice, are flaws", () => {
    expect(said(verdict({ records: [SECOND, FIRST] }), "flaw")).toContain("Record 1 stands behind record 2");
    expect(said(verdict({ records: [FIRST, FIRST] }), "flaw")).toContain(
      "two different records with the number 1",
    );
  });

  test("two different records with one number, both signed by the hub, are a flaw", () => {
    const [, other] = chain(2, () => ({ kind: "cancel" }));
    const both = verdict({ records: [FIRST, SECOND, other ?? SECOND] });
    expect(said(both, "flaw")).toContain("The hub signed two different records with the number 2");
  });

  test("a record of another history at the right number breaks the chain", () => {
    const other = chain(4, () => ({ mode: "test" }));
    const spliced = verdict({ records: [FIRST, other[1] ?? FIRST, THIRD, FOURTH] });
    expect(said(spliced, "flaw")).toContain("Record 2 does not name the hash of record 1 as given here");
    expect(said(spliced, "flaw")).toContain("Record 3 does not name the hash of record 2 as given here");
  });

  test("a chain that begins at another enrolment is a flaw", () => {
    const other = sealEnrolment({ ...ENROLMENT, issuedMs: 1 }, CENTRE_KEY);
    expect(said(verdict({ enrolment: other }), "flaw")).toContain(
      "Record 1 does not begin at this enrolment",
    );
  });

  test("a record by another key, of another realm or about another hub is a flaw", () => {
    const by = (key: SigningKey, realm: string, changes: Partial<EventRecord> = {}) =>
      said(verdict({ records: [sealEvent(event(changes), realm, key)] }), "flaw");
    expect(by(TPM_KEY, REALM)).toContain("Record 1 of 1 is not what the hub signed");
    expect(by(HUB_KEY, "live")).toContain("Record 1 of 1 is not what the hub signed");
    expect(by(HUB_KEY, REALM, { hub: "00".repeat(8) })).toContain("not the enrolled one");
  });

  test("a start of the hub that goes back is a flaw", () => {
    const records = chain(2, (sequence) => ({ boot: 5 - sequence }));
    expect(said(verdict({ records, receipts: [] }), "flaw")).toContain("Record 2 is from start 3 of the hub");
  });

  test("a receipt for another record of the same number is a flaw", () => {
    const forged = sealReceipt(receipt({ sequence: 4, complete: 4 }), REALM, CENTRE_KEY);
    expect(said(verdict({ receipts: [forged] }), "flaw")).toContain(
      "for another record 4 than the one given here",
    );
  });

  test("a receipt by another key or for another hub is a flaw", () => {
    const byHub = sealReceipt(receipt(), REALM, HUB_KEY);
    expect(said(verdict({ receipts: [byHub] }), "flaw")).toContain(
      "Receipt 1 of 1 is not what the centre signed",
    );
    const elsewhere = sealReceipt(receipt({ hub: "00".repeat(8) }), REALM, CENTRE_KEY);
    expect(said(verdict({ receipts: [elsewhere] }), "flaw")).toContain("not the enrolled one");
  });

  test("an enrolment that the listed keys do not prove leaves nothing proven", () => {
    for (const keys of [
      [],
      [listed(HUB_KEY, "hub")],
      [{ ...listed(CENTRE_KEY, "receipt"), publicKey: "00".repeat(32) }],
    ] as const) {
      const nothing = verdict({ keys });
      expect(nothing).toMatchObject({ ok: false, records: [], receipts: [] });
      expect(said(nothing, "flaw")).toContain("The enrolment proves nothing");
    }
  });

  test("a key listed under another's name is a flaw", () => {
    const keys = [listed(CENTRE_KEY, "receipt"), { ...listed(HUB_KEY, "hub"), kid: "00".repeat(8) }];
    expect(said(verdict({ keys }), "flaw")).toContain("The key listed as 0000000000000000 is in truth");
  });
});

describe("which records a receipt confirms", () => {
  const confirmed = (receipts: Uint8Array[], records = RECORDS) =>
    said(verdict({ records, receipts }), "note");

  test("its own, and through the chain all before it up to `complete`", () => {
    expect(confirmed([receiptFor(THIRD, 3)])).toContain("confirms record 4.");
    expect(confirmed([receiptFor(THIRD, 3, { complete: 1 })])).toContain("confirms records 2, 4.");
    expect(confirmed([receiptFor(THIRD, 3, { complete: 0 })])).toContain("confirms records 1, 2, 4.");
  });

  test("never one behind it by `complete` alone: no hash says which record that was", () => {
    expect(confirmed([receiptFor(SECOND, 2, { complete: 4 })])).toContain("confirms records 3, 4.");
  });

  test("those that it names beside", () => {
    const { receipts } = verdict({ receipts: [receiptFor(FOURTH, 4)] });
    const more = receipts.map(({ sequence, recordHash, result }) => ({ sequence, recordHash, result }));
    expect(confirmed([receiptFor(FIRST, 1, { more })])).toContain("confirms records 2, 3.");
  });

  test("none across a hole in the chain", () => {
    expect(confirmed([receiptFor(FOURTH, 4)], [FIRST, THIRD, FOURTH])).toContain("confirms record 1.");
  });

  test("a file without any receipt says so", () => {
    expect(confirmed([])).toContain("confirms records 1, 2, 3, 4.");
    expect(verdict({ receipts: [] }).ok).toBe(true);
  });
});

test("a file of 2,000 records with a receipt each is judged in one pass", () => {
  const records = chain(2000);
  const receipts = records.map((record, i) => receiptFor(record, i + 1));
  const judged = verdict({ records, receipts }, TRUST);
  expect(judged.ok).toBe(true);
  expect(said(judged, "ok")).toContain("confirmed 2000 records of 2000");
});
