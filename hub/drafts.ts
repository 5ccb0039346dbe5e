/** Drafts of records, from what devices and the hub itself say. Pure; keeps every text within what a record can carry. */
import type { Report } from "../protocols/device/report.ts";
import { EVENT_LIMITS, type EventPlace, type EventReception } from "../protocols/event.ts";
import type { EventKind } from "../protocols/hub-kinds.ts";
import type { Reception } from "./carriers/carrier.ts";
import type { KnownEvent } from "./device-events.ts";
import type { EventDraft } from "./journal/journal.ts";
import type { Notice, Uplink } from "./lorawan/sink.ts";

const NOWHERE: EventPlace = { site: "", zone: "" };

/** About the hub or by the hub about a device. `note`: what a person reads. */
export function hubDraft(kind: EventKind, note: string | null, about: Partial<EventDraft> = {}): EventDraft {
  return {
    device: null,
    eventNumber: null,
    ageMs: 0,
    kind,
    mode: "real",
    drill: null,
    place: NOWHERE,
    state: null,
    frameHash: null,
    receptions: [],
    provenance: "hub",
    refersTo: null,
    raw: null,
    ...about,
    note: note === null ? null : plain(note),
  };
}

/** A device's own report. `mode`: the one it is recorded with. */
export function reportDraft(
  uplink: Uplink,
  report: Report,
  how: { mode: EventDraft["mode"]; place: EventPlace; note: string | null },
): EventDraft {
  const { detail, batteryPercent, tamperOpen, batteryLow, mainsLost, deviceFault } = report;
  return {
    ...hubDraft(report.kind, how.note),
    device: uplink.devEui,
    eventNumber: report.eventNumber,
    ageMs: report.ageS * 1000,
    mode: how.mode,
    place: how.place,
    state: { detail, batteryPercent, tamperOpen, batteryLow, mainsLost, deviceFault },
    frameHash: uplink.frameHash,
    receptions: uplink.receptions.slice(0, EVENT_LIMITS.receptions).map(eventReception),
    provenance: "authenticated",
  };
}

/** What came in under a device's keys and means nothing to this software: kept raw, as far as it fits. */
export function unreadableDraft(uplink: Uplink, place: EventPlace, why: string): EventDraft {
  const raw = Buffer.from(uplink.payload)
    .toString("hex")
    .slice(0, EVENT_LIMITS.rawBytes * 2);
  return {
    ...hubDraft("unreadable", `FPort ${uplink.fPort}: ${why}`),
    device: uplink.devEui,
    place,
    frameHash: uplink.frameHash,
    receptions: uplink.receptions.slice(0, EVENT_LIMITS.receptions).map(eventReception),
    provenance: "authenticated",
    raw: raw === "" ? null : raw,
  };
}

/** Evidence for an event that the journal has. */
export function moreReceptions(
  event: KnownEvent,
  frameHash: string,
  receptions: EventDraft["receptions"],
  note: string | null,
): EventDraft {
  const { devEui, eventNumber, mode, sequence } = event;
  const about = { device: devEui, eventNumber, mode, refersTo: sequence, frameHash, receptions };
  return { ...hubDraft("moreReceptions", note, about), provenance: "authenticated" };
}

/** The words of the record's key 17. Numbers that no gateway should say become unknown rather than unsignable. */
export function eventReception(reception: Reception): EventReception {
  const { carrier, gateway, rssiDbm, snrDb, dataRate } = reception;
  return {
    carrier,
    gateway: gateway.slice(0, 64) || "unknown",
    rssiDbm: within(rssiDbm, -1000, 1000),
    snrDb: within(snrDb, -1000, 1000),
    dataRate: dataRate !== null && Number.isInteger(dataRate) ? within(dataRate, 0, 15) : null,
  };
}

/** The record that a security fact deserves; null for what is only of passing interest. */
export function noticeDraft(notice: Notice): EventDraft | null {
  switch (notice.type) {
    case "replay":
      return hubDraft("replay", `FCntUp ${notice.fCntUp} again ${times(notice)}`, {
        device: notice.devEui,
        frameHash: notice.frameHash,
      });
    case "counterGap":
      return hubDraft(
        "badFrames",
        `FCntUp ${notice.fCntUp} is too far ahead; it must join again ${times(notice)}`,
        {
          device: notice.devEui,
        },
      );
    case "badMic":
      return hubDraft("badFrames", `DevAddr ${notice.devAddr}: no key fits ${times(notice)}`);
    case "joinRefused":
      return hubDraft("joinRefused", `${notice.devEui}: ${notice.reason} ${times(notice)}`, {
        device: notice.reason === "unknownDevice" ? null : notice.devEui,
      });
    default:
      return null;
  }
}

function times({ count, gateway }: { count: number; gateway: string }): string {
  return `(${count} ${count === 1 ? "time" : "times"}, gateway ${gateway})`;
}

function within(value: number | null, min: number, max: number): number | null {
  return value !== null && value >= min && value <= max ? value : null;
}

/** Text that a record takes: no control characters, well-formed, not too long. */
function plain(text: string): string {
  let out = "";
  for (const char of text.toWellFormed())
    out += char < " " || char === "\x7f" || char === "\ufeff" ? " " : char;
  return out.slice(0, EVENT_LIMITS.noteLength).toWellFormed() || " ";
}
