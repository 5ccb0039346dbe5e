/** What the two sides have on disk, read from the files themselves and checked without the programs that wrote them:
 *  SQL for the rows, the protocol's own signature and record formats for their meaning. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sha256Hex } from "../../protocols/cose.ts";
import { isCodecError } from "../../protocols/device/codec-error.ts";
import { openEnrolment } from "../../protocols/enrolment.ts";
import { type EventRecord, openEvent } from "../../protocols/event.ts";
import { openReceipt, type Receipt } from "../../protocols/receipt.ts";
import { createVerifyingKey, type VerifyingKey } from "../../protocols/signature.ts";
import { REALM } from "./campaign.ts";

export interface Entry {
  readonly sequence: number;
  readonly hash: string;
  readonly event: EventRecord;
}

/** Keys and the start of the chain, from the hub's enrolment. */
export interface Trust {
  readonly hubKey: VerifyingKey;
  readonly receiptKey: VerifyingKey;
  /** SHA-256 of the sealed enrolment. */
  readonly genesis: string;
}

export function readTrust(hubDir: string): Trust {
  const { receiptPublicKey, receiptAlg } = JSON.parse(readFileSync(path.join(hubDir, "centre.json"), "utf8"));
  const receiptKey = createVerifyingKey(receiptPublicKey, receiptAlg);
  const sealed = readFileSync(path.join(hubDir, "enrolment.cose"));
  const { enrolment, hash } = openEnrolment(sealed, REALM, keyOf(receiptKey));
  return { hubKey: createVerifyingKey(enrolment.hubPublicKey, enrolment.hubAlg), receiptKey, genesis: hash };
}

export interface Journal {
  readonly entries: readonly Entry[];
  readonly receipts: readonly Receipt[];
  /** The path's settled records: all up to `complete`, and those `beyond`. */
  readonly complete: number;
  readonly beyond: readonly number[];
  /** In words; empty when every signature, hash, number and link is right. */
  readonly flaws: readonly string[];
}

/** The hub's journal. Opens the file for writing, because only a writer may take over the log of a killed process. */
export function readJournal(file: string, trust: Trust): Journal {
  using database = open(file);
  const rows = database.prepare("SELECT sequence, hash, bytes FROM record ORDER BY sequence").all();
  const { entries, flaws } = readChain(rows, trust);
  const receipts = database
    .prepare("SELECT bytes FROM receipt ORDER BY id")
    .all()
    .flatMap((row) => readReceipt(row["bytes"] as Uint8Array, trust, flaws));
  const hashes = new Map(entries.map(({ sequence, hash }) => [sequence, hash]));
  for (const { sequence, recordHash, more } of receipts) {
    for (const named of [{ sequence, recordHash }, ...more])
      if (hashes.get(named.sequence) !== named.recordHash)
        flaws.push(`a receipt for record ${named.sequence} names another record`);
  }
  const complete = Number(
    database.prepare("SELECT max(complete) AS complete FROM cursor").get()?.["complete"] ?? 0,
  );
  const beyond = database.prepare("SELECT sequence FROM settled").all();
  return { entries, receipts, complete, beyond: beyond.map((row) => Number(row["sequence"])), flaws };
}

export interface Ledger {
  readonly entries: readonly Entry[];
  readonly extent: { readonly complete: number; readonly contiguous: number; readonly head: number };
  /** Records that contradicted one that was here before. */
  readonly equivocations: number;
  /** What came and was no record of an enrolled hub. */
  readonly quarantined: number;
  readonly flaws: readonly string[];
}

/** The centre's ledger, of its only hub. */
export function readLedger(file: string, trust: Trust): Ledger {
  using database = open(file);
  const count = (table: string) =>
    Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"]);
  const rows = database.prepare("SELECT sequence, hash, bytes FROM records ORDER BY sequence, idx").all();
  const extent = database.prepare("SELECT complete, contiguous, head FROM hubs").get();
  return {
    ...readChain(rows, trust),
    extent: {
      complete: Number(extent?.["complete"]),
      contiguous: Number(extent?.["contiguous"]),
      head: Number(extent?.["head"]),
    },
    equivocations: count("equivocations"),
    quarantined: count("quarantine"),
  };
}

/** Alarms among the records: one for each time that a device's event was recorded. Additions to an event are none. */
export function alarmsOf(entries: readonly Entry[]): Map<string, Entry[]> {
  const alarms = new Map<string, Entry[]>();
  for (const entry of entries) {
    const { kind, device, eventNumber } = entry.event;
    if (kind !== "panic" || device === null || eventNumber === null) continue;
    const key = alarmKey(device, eventNumber);
    alarms.set(key, [...(alarms.get(key) ?? []), entry]);
  }
  return alarms;
}

export function alarmKey(device: string, eventNumber: number): string {
  return `${device}/${eventNumber}`;
}

function open(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 5_000 });
  const check = database.prepare("PRAGMA integrity_check").get()?.["integrity_check"];
  if (check !== "ok") throw new Error(`${file}: ${check}`);
  return database;
}

/** By the hash of all their bytes, so that many copies of one chain cost one verification. */
const verified = new Map<string, EventRecord>();

function readChain(rows: readonly Record<string, unknown>[], trust: Trust) {
  const entries: Entry[] = [];
  const flaws: string[] = [];
  let before = { sequence: 0, hash: trust.genesis, boot: 0 };
  for (const row of rows) {
    const sequence = Number(row["sequence"]);
    const bytes = row["bytes"] as Uint8Array;
    const hash = sha256Hex(bytes);
    try {
      const event = verified.get(hash) ?? openEvent(bytes, REALM, keyOf(trust.hubKey)).event;
      verified.set(hash, event);
      if (Buffer.from(row["hash"] as Uint8Array).toString("hex") !== hash)
        flaws.push(`record ${sequence}: stored under another hash`);
      if (event.sequence !== sequence) flaws.push(`record ${sequence}: calls itself ${event.sequence}`);
      if (sequence !== before.sequence + 1)
        flaws.push(`record ${sequence}: stands behind ${before.sequence}`);
      if (event.previous !== before.hash) flaws.push(`record ${sequence}: does not name the one before it`);
      if (event.boot < before.boot)
        flaws.push(`record ${sequence}: of an earlier start than the one before it`);
      entries.push({ sequence, hash, event });
      before = { sequence, hash, boot: event.boot };
    } catch (error) {
      if (!isCodecError(error)) throw error;
      flaws.push(`record ${sequence}: ${error.message}`);
    }
  }
  return { entries, flaws };
}

function readReceipt(bytes: Uint8Array, { receiptKey }: Trust, flaws: string[]): Receipt[] {
  try {
    return [openReceipt(bytes, REALM, keyOf(receiptKey)).receipt];
  } catch (error) {
    if (!isCodecError(error)) throw error;
    flaws.push(`a receipt: ${error.message}`);
    return [];
  }
}

function keyOf(key: VerifyingKey) {
  return (kid: string) => (kid === key.kid ? key : undefined);
}
