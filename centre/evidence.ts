/** One incident as one file that proves itself offline: its records, the centre's receipts for them, and what operators did. */
import { STAGES } from "../protocols/device/stage.ts";
import { type EventRecord, openEvent } from "../protocols/event.ts";
import { encodeEvidence } from "../protocols/evidence.ts";
import { sealReceipt } from "../protocols/receipt.ts";
import { createVerifyingKey, type VerifyingKey } from "../protocols/signature.ts";
import type { Act, Incident } from "./incidents/incident.ts";
import type { Ledger } from "./ledger/ledger.ts";
import type { ReceiptSigner } from "./receive/receipts.ts";

/** Between the first and the last record of an incident all records of the hub are given, so that the chain shows; beyond this
 *  span only its own. */
const MAX_SPAN = 1_000;
/** Records behind the last one that are searched for what adds to it. */
const LOOK_AHEAD = 50;

type StoredRecord = Awaited<ReturnType<Ledger["records"]>>[number];

/** The file's bytes; null when there is no such incident. */
export async function exportEvidence(
  ledger: Ledger,
  signer: ReceiptSigner,
  id: string,
): Promise<Uint8Array | null> {
  const row = await ledger.loadIncident(id);
  if (row === undefined) return null;
  const incident = JSON.parse(row.json) as Incident;
  const hub = (await ledger.hubs()).find((one) => one.id === incident.hub);
  if (hub === undefined) return null;
  const hubKey = createVerifyingKey(hub.publicKey, hub.alg);
  const records = await collect(ledger, incident, signer.realm, hubKey);
  const sequences = records.map(({ sequence }) => sequence);
  const stages = await ledger.receiptsOf(hub.id, sequences);
  const contradictions = (await ledger.equivocations(hub.id)).filter((one) =>
    sequences.includes(one.sequence),
  );
  const sealed = [...records, ...contradictions].sort((a, b) => a.sequence - b.sequence);
  return encodeEvidence({
    realm: signer.realm,
    enrolment: hub.enrolment,
    records: sealed.map(({ bytes }) => bytes),
    receipts: [
      ...records.map((record) => receiptFor(record, incident, signer)),
      ...stages.map(({ bytes }) => bytes),
    ],
    keys: [
      { kid: hubKey.kid, publicKey: hub.publicKey, alg: hub.alg, role: "hub" },
      { kid: signer.key.kid, publicKey: signer.key.publicKey, alg: signer.key.alg, role: "receipt" },
    ],
    acts: await acts(ledger, incident),
  });
}

async function collect(
  ledger: Ledger,
  incident: Incident,
  realm: string,
  key: VerifyingKey,
): Promise<StoredRecord[]> {
  const own = new Set(incident.records.map(({ sequence }) => sequence));
  if (own.size === 0) return [];
  const [first, last] = [Math.min(...own), Math.max(...own)];
  const whole = last - first <= MAX_SPAN;
  const inside = whole
    ? await ledger.records(incident.hub, first, last, MAX_SPAN + 1)
    : (
        await Promise.all([...own].sort((a, b) => a - b).map((s) => ledger.records(incident.hub, s, s, 1)))
      ).flat();
  const later = await ledger.records(incident.hub, last + 1, last + LOOK_AHEAD, LOOK_AHEAD);
  const adds = (event: EventRecord) => event.refersTo !== null && own.has(event.refersTo);
  return [...inside, ...later.filter(({ bytes }) => adds(openEvent(bytes, realm, () => key).event))];
}

/** The receipt that the ledger's row stands for, signed anew: the hub keeps the one that it was sent. */
function receiptFor(
  record: StoredRecord,
  incident: Incident,
  { realm, receiver, key }: ReceiptSigner,
): Uint8Array {
  const receipt = {
    version: 1,
    hub: record.hub,
    sequence: record.sequence,
    recordHash: record.hash,
    result: record.placement.afterGap ? "storedAfterGap" : record.badTime ? "storedBadTime" : "stored",
    receiver,
    centreMs: record.receivedMs,
    ledgerIndex: record.index,
    stage: STAGES[1],
    incident: incident.records.some(({ sequence }) => sequence === record.sequence) ? incident.id : null,
    complete: 0,
    more: [],
  } as const;
  return sealReceipt(receipt, realm, key);
}

/** Only acts that took effect: each has its line in the history. */
async function acts(ledger: Ledger, incident: Incident) {
  const given = (await ledger.actsOf(incident.id)).map(({ json }) => JSON.parse(json) as Act);
  return given
    .filter((act) => incident.history.some((line) => line.by === act.operator && line.atMs === act.atMs))
    .map(({ atMs, operator, type, text, cause }) => {
      const said = [cause, text].filter((part) => part !== undefined).join(": ");
      return {
        atMs,
        operator,
        type,
        incident: incident.id,
        text: said.length > 0 ? said.slice(0, 2000) : null,
      };
    });
}
