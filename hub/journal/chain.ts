/** The chain's head and how a draft becomes its next record. Pure but for the signature; the store decides when the new
 *  head counts. */
import { sha256Hex } from "../../protocols/cose.ts";
import { type EventRecord, sealEvent } from "../../protocols/event.ts";
import type { SigningKey } from "../../protocols/signature.ts";
import type { EventDraft, Head, Stamp, StoredRow } from "./journal.ts";

/** What stays the same for every record of one run. */
export interface ChainIdentity {
  /** 16 hex characters. */
  readonly hub: string;
  readonly realm: string;
  /** First 8 bytes of the configuration's SHA-256, 16 hex characters. */
  readonly configHash: string;
}

/** A draft with the time at which the hub took it. */
export interface StampedDraft {
  readonly draft: EventDraft;
  readonly stamp: Stamp;
}

/** The event as it will be signed, following `head`. */
export function placeEvent(identity: ChainIdentity, head: Head, { draft, stamp }: StampedDraft): EventRecord {
  return {
    ...draft,
    ...stamp,
    version: 1,
    hub: identity.hub,
    configHash: identity.configHash,
    boot: head.boot,
    sequence: head.sequence + 1,
    previous: head.hash,
  };
}

/** Signs the next record. Throws a CodecError for a draft that no record can hold. */
export function sealNext(
  identity: ChainIdentity,
  head: Head,
  next: StampedDraft,
  key: SigningKey,
): StoredRow {
  const event = placeEvent(identity, head, next);
  const bytes = sealEvent(event, identity.realm, key);
  return { sequence: event.sequence, hash: sha256Hex(bytes), bytes };
}
