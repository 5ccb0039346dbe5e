import type { JournalOptions } from "../../../hub/journal/host.ts";
import type { EventDraft, StoredRow } from "../../../hub/journal/journal.ts";
import { openEvent } from "../../../protocols/event.ts";
import { createSigningKey, createVerifyingKey } from "../../../protocols/signature.ts";

/** A key made for these tests only. */
export const PRIVATE_KEY_PEM = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIOrH+yjeccGqxOFnXYrsWQsaEiKX6Kmv2tarbDRollUN
-----END PRIVATE KEY-----
`;
export const HUB_KEY = createSigningKey(PRIVATE_KEY_PEM);
export const REALM = "test";
export const GENESIS = "11".repeat(32);
export const HUB = HUB_KEY.kid;

export function journalOptions(path: string): JournalOptions {
  let monotonicMs = 0;
  return {
    path,
    genesis: GENESIS,
    hub: HUB,
    realm: REALM,
    configHash: "00".repeat(8),
    privateKeyPem: PRIVATE_KEY_PEM,
    stamp: () => ({
      time: { unixMs: 1_790_000_000_000, uncertaintyMs: 1000, source: "ntp" },
      monotonicMs: ++monotonicMs,
    }),
  };
}

export function pressDraft(eventNumber: number, device = "70b3d57ed0000001"): EventDraft {
  return {
    device,
    eventNumber,
    ageMs: 0,
    kind: "panic",
    mode: "real",
    drill: null,
    place: { site: "Chilonzor 9", zone: "Entrance 2" },
    state: {
      detail: 12,
      batteryPercent: 90,
      tamperOpen: false,
      batteryLow: false,
      mainsLost: false,
      deviceFault: false,
    },
    frameHash: "ab".repeat(32),
    receptions: [
      { carrier: "semtech-udp", gateway: "0016c001f1500001", rssiDbm: -80, snrDb: 7.5, dataRate: 5 },
    ],
    provenance: "authenticated",
    refersTo: null,
    raw: null,
    note: null,
  };
}

const key = createVerifyingKey(HUB_KEY.publicKey, HUB_KEY.alg);
const keyOf = (kid: string) => (kid === key.kid ? key : undefined);

/** Opens every row with the hub's public key and follows the chain from its genesis. Returns the events. */
export function verifyChain(rows: readonly StoredRow[]) {
  let previous = GENESIS;
  return rows.map((row, index) => {
    const { event, hash } = openEvent(row.bytes, REALM, keyOf);
    if (event.sequence !== index + 1 || row.sequence !== index + 1)
      throw new Error(`sequence ${event.sequence} at ${index + 1}`);
    if (event.previous !== previous)
      throw new Error(`record ${event.sequence} does not follow the one before it`);
    if (hash !== row.hash) throw new Error(`record ${event.sequence}: stored under another hash`);
    previous = hash;
    return event;
  });
}
