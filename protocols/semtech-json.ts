/** The JSON objects of the Semtech UDP protocol (semtech-udp.ts) as words. The forwarder's own names are used in this
 *  file only. Unknown fields are ignored, since forwarders add some; known ones are checked, since nobody is
 *  authenticated: every CodecError has the field's name as its code and the
 *  path in its message. */
import { integerIn, type Json, numberIn, objectOf, optionalNumber, refuse, textIn } from "./json-fields.ts";

export interface Rxpk {
  /** Concentrator clock at the end of the frame, microseconds, unsigned 32 bits: wraps after 71.6 minutes. */
  readonly tmst: number;
  readonly frequencyHz: number;
  /** IF channel and radio of the concentrator, null when it does not say. */
  readonly channel: number | null;
  readonly rfChain: number | null;
  /** Payload CRC on air. Only "ok" may be used; the others are to be counted. */
  readonly crc: Crc;
  /** "SF7BW125", "FSK50000", or the text of a modulation that is not ours. */
  readonly dataRate: string;
  /** "4/5"; null for FSK. */
  readonly codingRate: string | null;
  readonly rssiDbm: number | null;
  readonly snrDb: number | null;
  /** 0-255 bytes. */
  readonly phyPayload: Uint8Array;
}

export interface Stat {
  readonly time: string | null;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly altitudeM: number | null;
  /** Frames received, with a good CRC, forwarded; share of pushData that was acknowledged. */
  readonly received: number | null;
  readonly receivedOk: number | null;
  readonly forwarded: number | null;
  readonly acknowledgedPercent: number | null;
  /** Downlinks that came to the gateway, and those it sent. */
  readonly downlinks: number | null;
  readonly transmitted: number | null;
  readonly temperatureC: number | null;
}

export interface Txpk {
  /** When to begin, on the concentrator's clock in microseconds; encoded modulo 2^32. null: at once. */
  readonly tmst: number | null;
  readonly frequencyHz: number;
  readonly rfChain: number;
  /** Encoded as a whole number, rounded down: never louder than asked. */
  readonly eirpDbm: number;
  readonly dataRate: string;
  /** "4/5"; null for FSK. */
  readonly codingRate: string | null;
  /** Inverted polarisation: true for every LoRaWAN downlink to a device. */
  readonly invertPolarity: boolean;
  /** Payload CRC: false for every LoRaWAN downlink. */
  readonly crc: boolean;
  readonly phyPayload: Uint8Array;
}

export type Crc = keyof typeof CRC_STAT;

/** Why a gateway refuses a downlink; the protocol's own words. An unknown word is a refusal too: UNKNOWN. */
export type TxError = (typeof TX_ERRORS)[number];
export const TX_ERRORS = [
  "TOO_LATE",
  "TOO_EARLY",
  "COLLISION_PACKET",
  "COLLISION_BEACON",
  "TX_FREQ",
  "TX_POWER",
  "GPS_UNLOCKED",
  "UNKNOWN",
] as const;

/** The gateway sends, at another power than it was asked for. */
export interface TxWarning {
  readonly code: "TX_POWER";
  readonly eirpDbm: number;
}

const CRC_STAT = { ok: 1, bad: -1, none: 0 } as const;
const FSK = "FSK";
const FSK_DEVIATION_HZ = 25_000;
const HZ_PER_MHZ = 1e6;
const MAX_FREQUENCY_MHZ = 10_000;
const MAX_RXPK = 255;
const MAX_PHY_PAYLOAD = 255;
const UINT32 = 2 ** 32;
/** Where an entry stands, for the messages. */
const RXPK_PLACES = Array.from({ length: MAX_RXPK }, (_, i) => ({
  entry: "entry " + i + " of ",
  path: "rxpk[" + i + "].",
}));
/** Of one payload, within one synchronous call; a byte longer than any, so that a longer text cannot pass for a whole one. */
const decoded = Buffer.alloc(MAX_PHY_PAYLOAD + 1);

function frequencyIn(json: Json, path: string): number {
  return Math.round(numberIn(json, "freq", path, 1, MAX_FREQUENCY_MHZ) * HZ_PER_MHZ);
}

/** "datr" is text for LoRa and bits per second for FSK. */
function dataRateIn(json: Json, path: string): string {
  if (json["modu"] === FSK) return FSK + integerIn(json, "datr", path, 1, 1_000_000);
  textIn(json, "modu", path, /^(LORA|LR-FHSS)$/);
  return textIn(json, "datr", path, json["modu"] === "LORA" ? /^SF\d{1,2}BW\d{2,4}$/ : /^M\d{1,2}CW\d{2,4}$/);
}

function codingRateIn(json: Json, path: string): string | null {
  return json["modu"] === FSK ? null : textIn(json, "codr", path, /^(\d\/\d(LI)?|OFF)$/);
}

/** Base64 with either alphabet, padded or not: forwarders differ. `size` is the check that nothing was skipped. */
function payloadIn(json: Json, path: string): Uint8Array {
  const text = json["data"];
  if (typeof text !== "string") refuse(path, "data", text, "base64");
  const size = integerIn(json, "size", path, 0, MAX_PHY_PAYLOAD);
  const unpadded = text.length - (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0);
  const length = decoded.write(text, "base64");
  // the decoder skips what is not base64, so bad text comes out shorter than its length promises
  const whole = unpadded % 4 !== 1 && length === Math.floor((unpadded * 3) / 4);
  if (!whole || length !== size) refuse(path, "data", text, size + " bytes in base64");
  const bytes = new Uint8Array(length);
  // a copy of its own, since whoever keeps it must not keep more; frames are so short that a loop is the quickest
  for (let i = 0; i < length; i++) bytes[i] = decoded[i] ?? 0;
  return bytes;
}

/** The object of a pushData. Both parts may be missing. */
export function readPush(value: unknown): { rxpk: Rxpk[]; stat: Stat | null } {
  const json = objectOf(value, "", "pushData");
  const list = json["rxpk"] ?? [];
  if (!Array.isArray(list) || list.length > MAX_RXPK) refuse("", "rxpk", list, "a list of up to " + MAX_RXPK);
  const stat = json["stat"];
  return {
    rxpk: list.map((item, i) => readRxpk(item, i)),
    stat: stat === undefined || stat === null ? null : readStat(objectOf(stat, "", "stat")),
  };
}

function readRxpk(value: unknown, index: number): Rxpk {
  const { entry, path } = RXPK_PLACES[index] ?? { entry: "", path: "" };
  const json = objectOf(value, entry, "rxpk");
  return {
    tmst: integerIn(json, "tmst", path, 0, UINT32 - 1),
    frequencyHz: frequencyIn(json, path),
    channel: optionalNumber(json, "chan", path, 0, 255),
    rfChain: optionalNumber(json, "rfch", path, 0, 255),
    crc: crcIn(json, path),
    dataRate: dataRateIn(json, path),
    codingRate: codingRateIn(json, path),
    rssiDbm: optionalNumber(json, "rssi", path, -1000, 1000),
    snrDb: optionalNumber(json, "lsnr", path, -1000, 1000),
    phyPayload: payloadIn(json, path),
  };
}

function crcIn(json: Json, path: string): Crc {
  const stat = json["stat"];
  return stat === 1
    ? "ok"
    : stat === -1
      ? "bad"
      : stat === 0
        ? "none"
        : refuse(path, "stat", stat, "1, 0 or -1");
}

function readStat(json: Json): Stat {
  const counter = (name: string) => optionalNumber(json, name, "stat.", 0, UINT32 - 1);
  const time = json["time"];
  return {
    time: time === undefined || time === null ? null : textIn(json, "time", "stat.", /^[\x20-\x7e]{0,40}$/),
    latitude: optionalNumber(json, "lati", "stat.", -90, 90),
    longitude: optionalNumber(json, "long", "stat.", -180, 180),
    altitudeM: optionalNumber(json, "alti", "stat.", -100_000, 100_000),
    received: counter("rxnb"),
    receivedOk: counter("rxok"),
    forwarded: counter("rxfw"),
    acknowledgedPercent: optionalNumber(json, "ackr", "stat.", 0, 1000),
    downlinks: counter("dwnb"),
    transmitted: counter("txnb"),
    temperatureC: optionalNumber(json, "temp", "stat.", -300, 1000),
  };
}

/** The object of a pullResp. */
export function readTxpk(value: unknown): Txpk {
  const json = objectOf(objectOf(value, "", "pullResp")["txpk"], "", "txpk");
  const path = "txpk.";
  const flag = (name: string) => {
    const set = json[name] ?? false;
    return typeof set === "boolean" ? set : refuse(path, name, set, "true or false");
  };
  return {
    tmst: flag("imme") ? null : integerIn(json, "tmst", path, 0, UINT32 - 1),
    frequencyHz: frequencyIn(json, path),
    rfChain: integerIn(json, "rfch", path, 0, 255),
    eirpDbm: integerIn(json, "powe", path, -128, 127),
    dataRate: dataRateIn(json, path),
    codingRate: codingRateIn(json, path),
    invertPolarity: flag("ipol"),
    crc: !flag("ncrc"),
    phyPayload: payloadIn(json, path),
  };
}

/** The object of a txAck. "NONE" is how older forwarders say that all is well. */
export function readTxAck(value: unknown): { error: TxError | null; warn: TxWarning | null } {
  const json = objectOf(objectOf(value, "", "txAck")["txpk_ack"], "", "txpk_ack");
  const path = "txpk_ack.";
  const text = json["error"] ?? "NONE";
  if (typeof text !== "string") refuse(path, "error", text, "text");
  const error = text === "NONE" ? null : (TX_ERRORS.find((known) => known === text) ?? "UNKNOWN");
  const warn = json["warn"] ?? null;
  if (warn === null) return { error, warn: null };
  textIn(json, "warn", path, /^TX_POWER$/);
  return { error, warn: { code: "TX_POWER", eirpDbm: numberIn(json, "value", path, -128, 127) } };
}

function writeDataRate(dataRate: string, codingRate: string | null): Json {
  if (dataRate.startsWith(FSK)) return { modu: FSK, datr: Number(dataRate.slice(FSK.length)) };
  return { modu: dataRate.startsWith("SF") ? "LORA" : "LR-FHSS", datr: dataRate, codr: codingRate ?? "4/5" };
}

function writePayload(bytes: Uint8Array): Json {
  if (bytes.length > MAX_PHY_PAYLOAD) throw new RangeError("phyPayload: " + bytes.length + " bytes");
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
  return { size: bytes.length, data };
}

/** Fields that are null are left out, as forwarders do. */
function withoutNulls(json: Json): Json {
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
}

/** The object of a pushData. */
export function writePush(rxpk: readonly Rxpk[], stat: Stat | null): Json {
  return withoutNulls({
    rxpk: rxpk.length > 0 ? rxpk.map(writeRxpk) : null,
    stat: stat === null ? null : writeStat(stat),
  });
}

function writeRxpk(r: Rxpk): Json {
  return withoutNulls({
    tmst: r.tmst >>> 0,
    chan: r.channel,
    rfch: r.rfChain,
    freq: r.frequencyHz / HZ_PER_MHZ,
    stat: CRC_STAT[r.crc],
    ...writeDataRate(r.dataRate, r.codingRate),
    rssi: r.rssiDbm,
    lsnr: r.snrDb,
    ...writePayload(r.phyPayload),
  });
}

function writeStat(s: Stat): Json {
  return withoutNulls({
    time: s.time,
    lati: s.latitude,
    long: s.longitude,
    alti: s.altitudeM,
    rxnb: s.received,
    rxok: s.receivedOk,
    rxfw: s.forwarded,
    ackr: s.acknowledgedPercent,
    dwnb: s.downlinks,
    txnb: s.transmitted,
    temp: s.temperatureC,
  });
}

/** The object of a pullResp. Forwarders give no answer at all when rfch is missing, so it always travels. */
export function writeTxpk(t: Txpk): Json {
  return {
    txpk: {
      // the forwarder casts tmst to uint32 in C, where a larger double is undefined and differs by processor
      ...(t.tmst === null ? { imme: true } : { tmst: t.tmst >>> 0 }),
      freq: t.frequencyHz / HZ_PER_MHZ,
      rfch: t.rfChain,
      powe: Math.floor(t.eirpDbm),
      ...writeDataRate(t.dataRate, t.codingRate),
      ...(t.dataRate.startsWith(FSK) ? { fdev: FSK_DEVIATION_HZ } : {}),
      ipol: t.invertPolarity,
      ...writePayload(t.phyPayload),
      ncrc: !t.crc,
    },
  };
}

/** The object of a txAck that is not a plain "queued". */
export function writeTxAck(error: TxError | null, warn: TxWarning | null): Json {
  return {
    txpk_ack: withoutNulls({ error, warn: warn?.code ?? null, value: warn?.eirpDbm ?? null }),
  };
}
