/** What an evidence file proves, and what not: the enrolment by the centre's receipt key, the records by the hub's key and by
 *  the chain, the receipts by the hashes that they name. Each finding is a sentence for a person. */
import { isCodecError } from "./device/codec-error.ts";
import { type Enrolment, openEnrolment } from "./enrolment.ts";
import { type EventRecord, openEvent } from "./event.ts";
import { openReceipt, type Receipt, type ReceiptEntry } from "./receipt.ts";
import { type Algorithm, createVerifyingKey, type VerifyingKey } from "./signature.ts";

/** "ok": proven. "note": not shown by this file, which is no fault in itself. "flaw": do not rely on it. */
export interface Finding {
  readonly level: "ok" | "note" | "flaw";
  readonly what: string;
}

export interface Trust {
  /** Hex, raw, as in signature.ts. */
  readonly receiptPublicKeys?: readonly string[];
}

/** A public key that the file brings along; the enrolment decides which ones count. */
export interface EvidenceKey {
  readonly kid: string;
  readonly publicKey: string;
  readonly alg: Algorithm;
  readonly role: "hub" | "receipt";
}

/** What an operator did, by the centre's account. */
export interface EvidenceAct {
  readonly atMs: number;
  readonly operator: string;
  readonly type: string;
  readonly incident: string;
  readonly text: string | null;
}

export interface Evidence {
  readonly realm: string;
  /** Sealed, as in enrolment.ts. */
  readonly enrolment: Uint8Array;
  /** Sealed, as in event.ts; by rising sequence. */
  readonly records: readonly Uint8Array[];
  /** Sealed, as in receipt.ts. */
  readonly receipts: readonly Uint8Array[];
  readonly keys: readonly EvidenceKey[];
  readonly acts: readonly EvidenceAct[];
}

interface OpenRecord {
  readonly event: EventRecord;
  readonly hash: string;
}

interface Enrolled {
  readonly enrolment: Enrolment;
  readonly hash: string;
  readonly hubKey: VerifyingKey;
  readonly receiptKey: VerifyingKey;
}

/** Findings in the order of a person's questions: whose keys, which records, which receipts, what is left. */
export function checkEvidence(
  evidence: Evidence,
  trust: Trust = {},
): { findings: Finding[]; records: EventRecord[]; receipts: Receipt[] } {
  const findings: Finding[] = [];
  const say = (level: Finding["level"], what: string) => {
    findings.push({ level, what });
  };
  const enrolled = openEnrolled(evidence, say);
  if (enrolled === undefined) return { findings, records: [], receipts: [] };
  sayTrust(enrolled, trust, say);
  const records = openRecords(evidence, enrolled, say);
  const links = checkChain(records, enrolled, say);
  const receipts = openReceipts(evidence, enrolled, say);
  checkReceipts(records, links, receipts, say);
  if (evidence.acts.length > 0) {
    say("note", `${evidence.acts.length} acts of operators are the centre's account: they are not signed.`);
  }
  return { findings, records: records.map(({ event }) => event), receipts };
}

type Say = (level: Finding["level"], what: string) => void;

function openEnrolled(evidence: Evidence, say: Say): Enrolled | undefined {
  const { realm } = evidence;
  try {
    const keys = evidence.keys.map((key) => ({
      ...createVerifyingKey(key.publicKey, key.alg),
      listed: key.kid,
    }));
    const misnamed = keys.find(({ kid, listed }) => kid !== listed);
    if (misnamed) say("flaw", `The key listed as ${misnamed.listed} is in truth ${misnamed.kid}.`);
    const { enrolment, hash } = openEnrolment(evidence.enrolment, realm, (id) =>
      keys.find(({ kid }) => kid === id),
    );
    const hubKey = createVerifyingKey(enrolment.hubPublicKey, enrolment.hubAlg);
    const receiptKey = createVerifyingKey(enrolment.receiptPublicKey, enrolment.receiptAlg);
    const by = `centre "${enrolment.centre}" in realm "${realm}" with its key ${receiptKey.kid}`;
    say("ok", `Hub ${enrolment.hub} and its key ${hubKey.kid} were enrolled by ${by}.`);
    return { enrolment, hash, hubKey, receiptKey };
  } catch (error) {
    say("flaw", `The enrolment proves nothing, so neither does the rest: ${messageOf(error)}.`);
    return undefined;
  }
}

function sayTrust({ receiptKey }: Enrolled, { receiptPublicKeys = [] }: Trust, say: Say): void {
  if (receiptPublicKeys.length === 0) {
    say(
      "note",
      `The file is judged by the keys inside it. Compare the centre's key ${receiptKey.publicKey} with one that you ` +
        "have from the centre by another way; until then somebody else may have made the whole file.",
    );
  } else if (receiptPublicKeys.includes(receiptKey.publicKey)) {
    say("ok", `The centre's key ${receiptKey.kid} is one that you trust.`);
  } else {
    say(
      "flaw",
      `The centre's key ${receiptKey.kid} is not among the ${receiptPublicKeys.length} that you trust.`,
    );
  }
}

function openRecords(evidence: Evidence, { enrolment, hubKey }: Enrolled, say: Say): OpenRecord[] {
  const opened: OpenRecord[] = [];
  for (const [i, bytes] of evidence.records.entries()) {
    const which = `Record ${i + 1} of ${evidence.records.length}`;
    try {
      const { event, hash } = openEvent(bytes, evidence.realm, keyOf(hubKey));
      if (event.hub === enrolment.hub) opened.push({ event, hash });
      else say("flaw", `${which} is about hub ${event.hub}, which is not the enrolled one.`);
    } catch (error) {
      say("flaw", `${which} is not what the hub signed: ${messageOf(error)}.`);
    }
  }
  if (opened.length > 0 && opened.length === evidence.records.length) {
    say("ok", `${count(opened.length, "record")} carry the signature of the hub's key ${hubKey.kid}.`);
  } else if (evidence.records.length === 0) {
    say("note", "There are no records in the file.");
  }
  return opened;
}

/** Returns for each record whether it is proven to follow directly on the one before it. */
function checkChain(records: readonly OpenRecord[], enrolled: Enrolled, say: Say): boolean[] {
  let broken = false;
  const flaw = (what: string) => {
    broken = true;
    say("flaw", what);
  };
  const links = records.map(({ event }, i) => {
    const before = records[i - 1];
    if (before === undefined) return startsChain(event, enrolled, flaw);
    const { sequence, previous, boot } = event;
    const last = before.event.sequence;
    if (sequence === last) flaw(`The hub signed two different records with the number ${sequence}.`);
    else if (sequence < last) flaw(`Record ${sequence} stands behind record ${last}.`);
    else if (boot < before.event.boot)
      flaw(`Record ${sequence} is from start ${boot} of the hub, behind a later start.`);
    else if (sequence > last + 1) say("note", `${range("Record", last + 1, sequence - 1)} not in the file.`);
    else if (previous !== before.hash)
      flaw(`Record ${sequence} does not name the hash of record ${last} as given here.`);
    else return true;
    return false;
  });
  const first = records[0]?.event.sequence;
  if (first !== undefined && !broken) {
    say(
      "ok",
      `From record ${first} to ${records.at(-1)?.event.sequence} none was changed, swapped or slipped in.`,
    );
  }
  return links;
}

function startsChain(
  { sequence, previous }: EventRecord,
  { hash }: Enrolled,
  flaw: (what: string) => void,
): boolean {
  if (sequence === 1 && previous !== hash) flaw("Record 1 does not begin at this enrolment.");
  return sequence === 1 && previous === hash;
}

function openReceipts(evidence: Evidence, { enrolment, receiptKey }: Enrolled, say: Say): Receipt[] {
  const opened: Receipt[] = [];
  for (const [i, bytes] of evidence.receipts.entries()) {
    const which = `Receipt ${i + 1} of ${evidence.receipts.length}`;
    try {
      const { receipt } = openReceipt(bytes, evidence.realm, keyOf(receiptKey));
      if (receipt.hub === enrolment.hub) opened.push(receipt);
      else say("flaw", `${which} is for hub ${receipt.hub}, which is not the enrolled one.`);
    } catch (error) {
      say("flaw", `${which} is not what the centre signed: ${messageOf(error)}.`);
    }
  }
  if (opened.length > 0 && opened.length === evidence.receipts.length) {
    say(
      "ok",
      `${count(opened.length, "receipt")} carry the signature of the centre's key ${receiptKey.kid}.`,
    );
  }
  return opened;
}

/** A receipt confirms the record whose hash it names and, through the chain, all before that up to `complete`. */
function checkReceipts(
  records: readonly OpenRecord[],
  links: readonly boolean[],
  receipts: readonly Receipt[],
  say: Say,
): void {
  const indexOf = new Map(records.map(({ event }, i) => [event.sequence, i]));
  const runs = runStarts(links);
  const confirmed = new Array<boolean>(records.length).fill(false);
  // for a run of linked records, by its first: the last index that some receipt's `complete` reaches
  const reached = new Map<number, number>();
  const confirm = ({ sequence, recordHash }: ReceiptEntry): number | undefined => {
    const index = indexOf.get(sequence);
    if (index === undefined) return undefined;
    if (records[index]?.hash !== recordHash) {
      say("flaw", `A receipt of the centre is for another record ${sequence} than the one given here.`);
      return undefined;
    }
    confirmed[index] = true;
    return index;
  };
  for (const receipt of receipts) {
    const index = confirm(receipt);
    for (const entry of receipt.more) confirm(entry);
    if (index === undefined) continue;
    const run = runs[index] ?? index;
    const last = index - Math.max(0, receipt.sequence - receipt.complete);
    reached.set(run, Math.max(last, reached.get(run) ?? last));
  }
  for (const [run, last] of reached) confirmed.fill(true, run, Math.max(run, last + 1));
  const open = records.filter((_, i) => !confirmed[i]).map(({ event }) => event.sequence);
  const done = records.length - open.length;
  if (done > 0)
    say("ok", `The centre confirmed ${count(done, "record")} of ${records.length} by their hashes.`);
  if (open.length > 0) say("note", `No receipt in the file confirms ${list(open)}.`);
}

/** For each record the index of the first one of its unbroken run. */
function runStarts(links: readonly boolean[]): number[] {
  let start = 0;
  return links.map((linked, i) => {
    if (!linked) start = i;
    return start;
  });
}

function keyOf(key: VerifyingKey) {
  return (kid: string) => (kid === key.kid ? key : undefined);
}

function messageOf(error: unknown): string {
  if (!isCodecError(error)) throw error;
  return error.message;
}

function count(n: number, word: string): string {
  return n === 1 ? `1 ${word}` : `${n} ${word}s`;
}

function range(word: string, from: number, to: number): string {
  return from === to ? `${word} ${from} is` : `${word}s ${from} to ${to} are`;
}

/** "record 3", "records 3, 4, 9", at most ten by number. */
function list(sequences: readonly number[]): string {
  const shown = sequences.slice(0, 10).join(", ");
  const more = sequences.length > 10 ? ` and ${sequences.length - 10} more` : "";
  return `record${sequences.length === 1 ? "" : "s"} ${shown}${more}`;
}
