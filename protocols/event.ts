/** Event record, hub → centre: one event, at one place in one hub's sequence. A COSE_Sign1 by the hub's key with the
 *  external_aad "tugma/event/v1" ‖ realm; the sealed bytes are the journal's row, and the next record names their hash.
 *  Payload, a CBOR map (a key that says nothing is absent):
 *     1 version          6 time [unix ms, ± ms, source]   11 kind                  16 SHA-256 of the device's frame
 *     2 hub id           7 monotonic ms                   12 mode                  17 receptions [[carrier, gateway,
 *     3 boot             8 device EUI                     13 drill id                 RSSI, SNR, data rate] …]
 *     4 sequence         9 event number                   14 [site, zone]          18 provenance
 *     5 previous hash   10 age ms                         15 device state          19 configuration hash
 *    20 sequence of the earlier record that this one adds to   21 raw bytes not understood   22 note              */
import { domain, openSign1, sealSign1, sha256Hex } from "./cose.ts";
import { MODES, type Mode } from "./device/report.ts";
import {
  boolean,
  decibels,
  type Field,
  hex,
  integer,
  listOf,
  mapped,
  oneOf,
  optional,
  orNull,
  recordCodec,
  text,
  tuple,
  version,
  wrong,
} from "./fields.ts";
import { EVENT_KINDS, type EventKind, eventKindOf } from "./hub-kinds.ts";
import type { SigningKey, VerifyingKey } from "./signature.ts";

/** Index = wire value. "none": the clock was never set; then only the sequence and monotonic time count. */
export const TIME_SOURCES = ["none", "rtc", "ntp", "nts", "gnss", "centre"] as const;
export type TimeSource = (typeof TIME_SOURCES)[number];

/** How far the sender is known: by its LoRaWAN keys; by a bus address only, asked by the hub; the hub itself. */
export const PROVENANCES = ["authenticated", "poller", "hub"] as const;
export type Provenance = (typeof PROVENANCES)[number];

export interface EventTime {
  readonly unixMs: number;
  readonly uncertaintyMs: number;
  readonly source: TimeSource;
}

export interface EventPlace {
  readonly site: string;
  readonly zone: string;
}

export interface EventReception {
  readonly carrier: string;
  /** Gateway EUI, or the name of a broker or bus. */
  readonly gateway: string;
  readonly rssiDbm: number | null;
  readonly snrDb: number | null;
  readonly dataRate: number | null;
}

/** What a Report says beside its kind; see device/report.ts. */
export interface EventState {
  readonly detail: number;
  readonly batteryPercent: number | null;
  readonly tamperOpen: boolean;
  readonly batteryLow: boolean;
  readonly mainsLost: boolean;
  readonly deviceFault: boolean;
}

export interface EventRecord {
  readonly version: 1;
  /** Hub id, 16 hex digits. */
  readonly hub: string;
  /** +1 at each start of the hub. */
  readonly boot: number;
  /** From 1, without gaps, never reset. */
  readonly sequence: number;
  /** 64 hex digits: SHA-256 of the whole previous record; of the sealed enrolment for sequence 1. */
  readonly previous: string;
  readonly time: EventTime;
  /** Since the start of the hub. */
  readonly monotonicMs: number;
  /** DevEUI, 16 hex digits; with provenance "poller" a name that the hub made, of the same form. Null: the hub itself. */
  readonly device: string | null;
  readonly eventNumber: number | null;
  /** From the event to this record, by the device's own account. */
  readonly ageMs: number;
  readonly kind: EventKind;
  readonly mode: Mode;
  readonly drill: string | null;
  readonly place: EventPlace;
  readonly state: EventState | null;
  /** 64 hex digits. */
  readonly frameHash: string | null;
  readonly receptions: readonly EventReception[];
  readonly provenance: Provenance;
  /** 16 hex digits: first 8 bytes of the SHA-256 of the hub's configuration. */
  readonly configHash: string;
  readonly refersTo: number | null;
  /** Hex, 1 to 255 bytes. */
  readonly raw: string | null;
  readonly note: string | null;
}

/** Bounds of what a record may carry; configuration and ingest keep to them, since nothing longer can be signed. */
export const EVENT_LIMITS = { nameLength: 120, noteLength: 500, rawBytes: 255, receptions: 32 } as const;

const kind: Field<EventKind> = mapped(
  integer(1, 0xffff),
  (word: EventKind, name) => EVENT_KINDS[word]?.id ?? fail(name, word),
  (id, name) => eventKindOf(id) ?? fail(name, id),
);

function fail(name: string, value: unknown): never {
  throw wrong(name, value, "a kind of hub-kinds.ts");
}

export const timeField: Field<EventTime> = tuple({
  unixMs: integer(),
  uncertaintyMs: integer(),
  source: oneOf(TIME_SOURCES),
});

const name = text(0, EVENT_LIMITS.nameLength);

const codec = recordCodec<EventRecord>("event", {
  version: [1, version(1)],
  hub: [2, hex(8)],
  boot: [3, integer()],
  sequence: [4, integer(1)],
  previous: [5, hex(32)],
  time: [6, timeField],
  monotonicMs: [7, integer()],
  device: [8, optional(hex(8))],
  eventNumber: [9, optional(integer(0, 0xffff_ffff))],
  ageMs: [10, integer()],
  kind: [11, kind],
  mode: [12, oneOf(MODES)],
  drill: [13, optional(text(1, EVENT_LIMITS.nameLength))],
  place: [14, tuple<EventPlace>({ site: name, zone: name })],
  state: [
    15,
    optional(
      tuple<EventState>({
        detail: integer(0, 0xff),
        batteryPercent: orNull(integer(0, 100)),
        tamperOpen: boolean,
        batteryLow: boolean,
        mainsLost: boolean,
        deviceFault: boolean,
      }),
    ),
  ],
  frameHash: [16, optional(hex(32))],
  receptions: [
    17,
    listOf(
      tuple<EventReception>({
        carrier: text(1, 32),
        gateway: text(1, 64),
        rssiDbm: orNull(decibels),
        snrDb: orNull(decibels),
        dataRate: orNull(integer(0, 15)),
      }),
      EVENT_LIMITS.receptions,
    ),
  ],
  provenance: [18, oneOf(PROVENANCES)],
  configHash: [19, hex(8)],
  refersTo: [20, optional(integer(1))],
  raw: [21, optional(hex(1, EVENT_LIMITS.rawBytes))],
  note: [22, optional(text(1, EVENT_LIMITS.noteLength))],
});

/** The payload, not yet signed. Throws a CodecError "field" for a value out of its bounds. */
export function encodeEvent(event: EventRecord): Uint8Array {
  return codec.encode(event);
}

/** Throws a CodecError: size, cbor, canonical, depth, range, version, missing, field, extra. Records from outside go
 *  through `openEvent`. */
export function decodeEvent(bytes: Uint8Array): EventRecord {
  return codec.decode(bytes);
}

/** The whole record, signed for this realm. */
export function sealEvent(event: EventRecord, realm: string, key: SigningKey): Uint8Array {
  return sealSign1(encodeEvent(event), domain("event", realm), key);
}

/** Verifies first, then parses. `hash` is what a receipt and the next record name. Throws the CodecErrors of `openSign1`
 *  and `decodeEvent`. */
export function openEvent(
  bytes: Uint8Array,
  realm: string,
  keyOf: (kid: string) => VerifyingKey | undefined,
): { event: EventRecord; kid: string; hash: string } {
  const { payload, kid } = openSign1(bytes, domain("event", realm), keyOf);
  return { event: decodeEvent(payload), kid, hash: sha256Hex(bytes) };
}
