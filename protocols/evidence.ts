/** Evidence: one file that carries a piece of a hub's chain with everything needed to check it without a network.
 *  A deterministic CBOR map:
 *     1 "tugma-evidence/1"   3 sealed enrolment   5 sealed receipts   7 acts [[unix ms, operator, type, incident, text] …]
 *     2 realm                4 sealed records     6 keys              8 SHA-256 of every byte before it
 *  Enrolment, records and receipts are signed. Acts and the list of keys are not: the checksum in 8 finds every
 *  accidental change in them, and no deliberate one.                                                              */
import { MAX_REALM_LENGTH, sha256 } from "./cose.ts";
import { codecError, isCodecError } from "./device/codec-error.ts";
import { algorithmField, publicKeyField } from "./enrolment.ts";
import type { EventRecord } from "./event.ts";
import {
  checkEvidence,
  type Evidence,
  type EvidenceAct,
  type EvidenceKey,
  type Finding,
  type Trust,
} from "./evidence-check.ts";
import { bytes, hex, integer, listOf, oneOf, orNull, recordCodec, text, tuple, version } from "./fields.ts";
import type { Receipt } from "./receipt.ts";

export type { Evidence, EvidenceAct, EvidenceKey, Finding, Trust } from "./evidence-check.ts";

export const EVIDENCE_FORMAT = "tugma-evidence/1";
export const MAX_EVIDENCE_LENGTH = 16 * 1024 * 1024;
const MAX_ITEMS = 50_000;
const MAX_ITEM_LENGTH = 64 * 1024;
const DIGEST_LENGTH = 32;

export interface Verdict {
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  readonly records: readonly EventRecord[];
  readonly receipts: readonly Receipt[];
}

interface EvidenceFile extends Evidence {
  readonly format: typeof EVIDENCE_FORMAT;
  readonly digest: string;
}

const sealed = bytes(MAX_ITEM_LENGTH);

const codec = recordCodec<EvidenceFile>(
  "evidence",
  {
    format: [1, version(EVIDENCE_FORMAT)],
    realm: [2, text(1, MAX_REALM_LENGTH)],
    enrolment: [3, sealed],
    records: [4, listOf(sealed, MAX_ITEMS)],
    receipts: [5, listOf(sealed, MAX_ITEMS)],
    keys: [
      6,
      listOf(
        tuple<EvidenceKey>({
          kid: hex(8),
          publicKey: publicKeyField,
          alg: algorithmField,
          role: oneOf(["hub", "receipt"]),
        }),
        1000,
      ),
    ],
    acts: [
      7,
      listOf(
        tuple<EvidenceAct>({
          atMs: integer(),
          operator: text(1, 120),
          type: text(1, 32),
          incident: text(1, 64),
          text: orNull(text(0, 2000)),
        }),
        MAX_ITEMS,
      ),
    ],
    // the highest key: its 32 bytes end the file
    digest: [8, hex(DIGEST_LENGTH)],
  },
  MAX_EVIDENCE_LENGTH,
);

/** The whole file. Throws a CodecError: size, field. */
export function encodeEvidence(evidence: Evidence): Uint8Array {
  const { realm, enrolment, records, receipts, keys, acts } = evidence;
  const digest = "00".repeat(DIGEST_LENGTH);
  const file = codec.encode({
    format: EVIDENCE_FORMAT,
    realm,
    enrolment,
    records,
    receipts,
    keys,
    acts,
    digest,
  });
  file.set(digestOf(file), file.length - DIGEST_LENGTH);
  return file;
}

/** Takes the file apart; `verifyEvidence` says what its signatures prove. Throws a CodecError: size, cbor, canonical,
 *  depth, range, version, missing, field, extra, digest. */
export function decodeEvidence(file: Uint8Array): Evidence {
  const { evidence, intact } = read(file);
  if (!intact) throw codecError("digest", "evidence: the file was altered, its SHA-256 does not match");
  return evidence;
}

/** What can be said about a file without a network, in sentences for a person; `ok` when none of them is a flaw. Never
 *  throws for bytes. `records` and `receipts` are those whose signature is good. `trust` holds the receipt keys (hex, raw)
 *  that the reader has from the centre by another way; without it the file can only be consistent in itself. */
export function verifyEvidence(file: Uint8Array, trust?: Trust): Verdict {
  let parts: { evidence: Evidence; intact: boolean };
  try {
    parts = read(file);
  } catch (error) {
    if (!isCodecError(error)) throw error;
    const what = `This is not an evidence file that can be read: ${error.message}.`;
    return { ok: false, findings: [{ level: "flaw", what }], records: [], receipts: [] };
  }
  const { evidence, intact } = parts;
  const checksum: Finding = intact
    ? { level: "ok", what: "The file is as it was exported: its checksum matches." }
    : { level: "flaw", what: "The file was altered after its export: its checksum does not match." };
  const { findings, records, receipts } = checkEvidence(evidence, trust);
  const all = [checksum, ...findings];
  return { ok: all.every(({ level }) => level !== "flaw"), findings: all, records, receipts };
}

function read(file: Uint8Array): { evidence: Evidence; intact: boolean } {
  const { realm, enrolment, records, receipts, keys, acts, digest } = codec.decode(file);
  const intact = Buffer.from(digest, "hex").equals(digestOf(file));
  return { evidence: { realm, enrolment, records, receipts, keys, acts }, intact };
}

function digestOf(file: Uint8Array): Uint8Array {
  return sha256(file.subarray(0, file.length - DIGEST_LENGTH));
}
