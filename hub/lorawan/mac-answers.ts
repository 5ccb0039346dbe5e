/** MAC commands of the server's side (TS001-1.0.4 chapter 5): what a device's commands mean, and what to say back. */
import { type MacCommand, readMacCommands } from "../../protocols/lorawan/mac.ts";
import type { Region } from "../../protocols/lorawan/regions.ts";
import { decideAdr, requiredSnrDb, SAMPLES, sameSettings } from "./adr.ts";
import { type LinkSettings, type MacState, NOTHING } from "./mac-state.ts";
import type { Notice } from "./sink.ts";
import type { Session } from "./store.ts";
import type { Heard } from "./windows.ts";

/** Battery and link are asked for once a day. */
export const STATUS_INTERVAL_MS = 24 * 3_600_000;
/** Seconds between the epochs of Unix and GPS, and leap seconds since then (18 since 2017). */
const GPS_EPOCH_S = 315_964_800;
const LEAP_SECONDS = 18;

/** Reads the commands of an uplink into the device's state. Returns what supervision should know and how many bytes
 *  made no sense; what follows such bytes cannot be read. Pure but for `mac` and `session`. */
export function readDeviceCommands(
  bytes: Uint8Array,
  devEui: string,
  mac: MacState,
  session: Session,
  nowMs: number,
): { notices: Notice[]; questions: Question[]; understood: boolean } {
  const { commands, error } = readMacCommands(bytes, "up");
  const notices: Notice[] = [];
  const questions: Question[] = [];
  for (const command of commands) {
    switch (command.cid) {
      case "LinkCheckReq":
      case "DeviceTimeReq":
        questions.push(command.cid);
        break;
      case "LinkADRAns":
        settleAdr(command.chMaskAck && command.dataRateAck && command.powerAck, mac, session);
        break;
      case "NewChannelAns":
        settleChannel(command.frequencyAck && command.dataRateAck, mac, session);
        break;
      case "DevStatusAns":
        mac.statusDueMs = nowMs + STATUS_INTERVAL_MS;
        notices.push(deviceStatus(devEui, command.battery, command.margin));
        break;
    }
  }
  return { notices, questions, understood: error === null };
}

export type Question = "LinkCheckReq" | "DeviceTimeReq";

function settleAdr(accepted: boolean, mac: MacState, session: Session): void {
  if (mac.asked === null) return;
  if (accepted) Object.assign(session, mac.asked);
  else mac.refused = mac.asked;
  mac.asked = null;
  mac.samples = NOTHING;
}

/** Answers come in the order of the offers. */
function settleChannel(accepted: boolean, mac: MacState, session: Session): void {
  const [frequencyHz, ...rest] = mac.offeredHz;
  if (frequencyHz === undefined) return;
  mac.offeredHz = rest;
  if (accepted) session.channelsHz = [...session.channelsHz, frequencyHz];
  else mac.refusedHz = [...mac.refusedHz, frequencyHz];
}

/** Battery: 0 external, 1-254 level, 255 unknown. */
function deviceStatus(devEui: string, battery: number, snrMarginDb: number): Notice {
  const known = battery > 0 && battery < 255;
  return {
    type: "deviceStatus",
    devEui,
    batteryPercent: known ? Math.round(((battery - 1) / 253) * 100) : null,
    external: battery === 0,
    snrMarginDb,
  };
}

export interface AnswerFacts {
  copies: readonly Heard[];
  /** Unix milliseconds at the end of the uplink; null: this hub does not know the time well enough to give it away. */
  uplinkWallMs: number | null;
}

/** Answers to the device's questions, as they are at the moment of sending. */
export function answersTo(questions: readonly Question[], facts: AnswerFacts, region: Region): MacCommand[] {
  return questions.flatMap((question): MacCommand[] => {
    if (question === "LinkCheckReq") {
      return [
        { cid: "LinkCheckAns", margin: marginDb(facts.copies, region), gwCnt: gatewayCount(facts.copies) },
      ];
    }
    if (facts.uplinkWallMs === null) return [];
    const gpsMs = facts.uplinkWallMs - (GPS_EPOCH_S - LEAP_SECONDS) * 1000;
    const gpsSeconds = Math.floor(gpsMs / 1000);
    return [
      { cid: "DeviceTimeAns", gpsSeconds, fraction: Math.floor(((gpsMs - gpsSeconds * 1000) * 256) / 1000) },
    ];
  });
}

function marginDb(copies: readonly Heard[], region: Region): number {
  const margins = copies.map((copy) => {
    const rate = copy.dataRate === null ? null : region.dataRates[copy.dataRate];
    return rate?.modulation === "lora" && copy.snrDb !== null ? copy.snrDb - requiredSnrDb(rate.sf) : 0;
  });
  return Math.min(254, Math.max(0, Math.floor(Math.max(0, ...margins))));
}

function gatewayCount(copies: readonly Heard[]): number {
  return Math.min(255, Math.max(1, new Set(copies.map((copy) => copy.gateway)).size));
}

/** Remembers how well an uplink was heard. A device that changed its data rate by itself starts anew. */
export function noteUplink(mac: MacState, session: Session, copy: Heard, lost: number): void {
  if (copy.snrDb === null || copy.dataRate === null) return;
  if (copy.dataRate !== session.dataRate) {
    session.dataRate = copy.dataRate;
    mac.samples = NOTHING;
  }
  // of exactly its length: one that grows in place keeps room for 17 from the first on
  const kept = mac.samples.length < SAMPLES ? mac.samples : mac.samples.slice(1);
  mac.samples = [...kept, { snrDb: copy.snrDb, lost }];
}

/** A NewChannelReq takes 6 of the 15 bytes. */
const OFFERS_AT_A_TIME = 2;
/** ChMaskCntl (RP002, plans with up to 16 channels): every channel that the device knows. */
const ALL_CHANNELS = 6;

/** What a downlink asks of the device, to be noted when it was sent. */
export interface Requests {
  commands: MacCommand[];
  settings: LinkSettings | null;
  offeredHz: readonly number[];
}

export const NO_REQUESTS: Requests = { commands: [], settings: null, offeredHz: [] };

/** What the server wants to ask now. `adr` = the device lets its data rate be set. */
export function requestsFor(
  region: Region,
  mac: MacState,
  session: Session,
  { adr, nowMs }: { adr: boolean; nowMs: number },
): Requests {
  const status: MacCommand[] = nowMs >= mac.statusDueMs ? [{ cid: "DevStatusReq" }] : [];
  const waiting = mac.asked !== null || mac.offeredHz.length > 0;
  if (waiting && nowMs < mac.patientUntilMs) return { ...NO_REQUESTS, commands: status };
  return settingsFor(region, mac, session, { adr, commands: status });
}

function settingsFor(
  region: Region,
  mac: MacState,
  session: Session,
  { adr, commands }: { adr: boolean; commands: MacCommand[] },
): Requests {
  const wanted = adr ? decideAdr(region, session, mac.samples) : null;
  const settings =
    wanted !== null && mac.refused !== null && sameSettings(wanted, mac.refused) ? null : wanted;
  if (settings !== null) {
    const { dataRate, txPowerIndex: txPower, nbTrans } = settings;
    commands.push({ cid: "LinkADRReq", dataRate, txPower, chMask: 0, chMaskCntl: ALL_CHANNELS, nbTrans });
  }
  const offeredHz = missingChannels(region, mac, session).slice(0, OFFERS_AT_A_TIME);
  const [minDataRate, maxDataRate] = region.joinDataRates;
  for (const [i, frequencyHz] of offeredHz.entries()) {
    const chIndex = session.channelsHz.length + i;
    commands.push({ cid: "NewChannelReq", chIndex, frequencyHz, minDataRate, maxDataRate });
  }
  return { commands, settings, offeredHz };
}

/** Channels that the device did not get with its join-accept. */
function missingChannels(region: Region, mac: MacState, session: Session): readonly number[] {
  const all = region.defaultChannelsHz.length + region.extraChannelsHz.length;
  if (session.channelsHz.length >= all) return NO_REQUESTS.offeredHz;
  return region.extraChannelsHz.filter(
    (hz) => !session.channelsHz.includes(hz) && !mac.refusedHz.includes(hz),
  );
}
