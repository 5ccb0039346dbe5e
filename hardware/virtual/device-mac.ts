/** How an end device obeys MAC commands (LoRaWAN 1.0.4 chapter 5): session and commands in, session and answers out. */
import type { MacCommand } from "../../protocols/lorawan/mac.ts";
import type { Region } from "../../protocols/lorawan/regions.ts";
import { type Channel, type DeviceSession, loraRate } from "./device-session.ts";

export interface MacContext {
  readonly region: Region;
  /** The ADR bit of our uplinks: without it the network may not set data rate and power. */
  readonly adr: boolean;
  /** DevStatusAns: 0 mains, 1-254, 255 unknown. */
  readonly battery: number;
  /** Of the frame that carried the commands. */
  readonly snrDb: number;
}

type Command<Name extends MacCommand["cid"]> = Extract<MacCommand, { cid: Name }>;
type Step = readonly [DeviceSession, readonly MacCommand[]];

/** Table of 5.9: EIRP in dBm by index. */
const MAX_EIRP_DBM = [8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36];
/** LinkADRReq: "leave as it is" for data rate and power. */
const KEEP = 15;
/** ChMaskCntl that switches every defined channel on. */
const ALL_CHANNELS = 6;
const MARGIN_MIN_DB = -32;
const MARGIN_MAX_DB = 31;

/** Obeys the commands of one downlink, in order. Answers of the network to our own requests are passed by. */
export function obeyMacCommands(
  session: DeviceSession,
  commands: readonly MacCommand[],
  context: MacContext,
): { session: DeviceSession; answers: readonly MacCommand[] } {
  let state = session;
  const answers: MacCommand[] = [];
  for (let i = 0; i < commands.length; ) {
    const block = linkAdrBlock(commands, i);
    const command = commands[i];
    const [next, more] =
      block.length > 0
        ? obeyLinkAdr(state, block, context)
        : command === undefined
          ? ([state, []] as const)
          : obey(state, command, context);
    state = next;
    answers.push(...more);
    i += Math.max(1, block.length);
  }
  return { session: state, answers };
}

/** 5.3: adjacent LinkADRReq are one request, obeyed whole or not at all. */
function linkAdrBlock(commands: readonly MacCommand[], from: number): Command<"LinkADRReq">[] {
  const block: Command<"LinkADRReq">[] = [];
  for (let i = from; ; i++) {
    const command = commands[i];
    if (command?.cid !== "LinkADRReq") return block;
    block.push(command);
  }
}

function obeyLinkAdr(
  session: DeviceSession,
  block: readonly Command<"LinkADRReq">[],
  context: MacContext,
): Step {
  const last = block.at(-1);
  if (last === undefined) return [session, []];
  const { region } = context;
  const channels = block.reduce<readonly (Channel | null)[] | null>(
    (known, request) => known && maskChannels(known, request.chMask, request.chMaskCntl),
    session.channels,
  );
  const dataRate = last.dataRate === KEEP ? session.dataRate : last.dataRate;
  const txPower = last.txPower === KEEP ? session.txPower : last.txPower;
  const chMaskAck = channels?.some((channel) => channel?.enabled) === true;
  const known = loraRate(region, dataRate) !== null && (context.adr || dataRate === session.dataRate);
  const dataRateAck =
    known &&
    (channels ?? session.channels).some(
      (c) => c?.enabled && c.minDataRate <= dataRate && dataRate <= c.maxDataRate,
    );
  const powerAck =
    region.txPowerStepsDb[txPower] !== undefined && (context.adr || txPower === session.txPower);
  const answer = { cid: "LinkADRAns", chMaskAck, dataRateAck, powerAck } as const;
  // 1.0.4: every request of a block is answered, each with the same bits
  const answers = block.map(() => answer);
  if (channels === null || !chMaskAck || !dataRateAck || !powerAck) return [session, answers];
  const nbTrans = last.nbTrans === 0 ? session.nbTrans : last.nbTrans;
  return [{ ...session, channels, dataRate, txPower, nbTrans }, answers];
}

/** null: a mask that names an undefined channel or an unknown ChMaskCntl. */
function maskChannels(
  channels: readonly (Channel | null)[],
  chMask: number,
  control: number,
): (Channel | null)[] | null {
  if (control === ALL_CHANNELS) return channels.map((channel) => channel && { ...channel, enabled: true });
  if (control !== 0) return null;
  const undefinedOnes =
    chMask >> channels.length !== 0 || channels.some((c, i) => c === null && (chMask >> i) & 1);
  if (undefinedOnes) return null;
  return channels.map((channel, i) => channel && { ...channel, enabled: ((chMask >> i) & 1) === 1 });
}

function obey(session: DeviceSession, command: MacCommand, context: MacContext): Step {
  switch (command.cid) {
    case "DutyCycleReq":
      return [{ ...session, maxDutyCycle: command.maxDutyCycle }, [{ cid: "DutyCycleAns" }]];
    case "RXParamSetupReq":
      return obeyRxParam(session, command, context.region);
    case "DevStatusReq": {
      const margin = Math.min(MARGIN_MAX_DB, Math.max(MARGIN_MIN_DB, Math.round(context.snrDb)));
      return [session, [{ cid: "DevStatusAns", battery: context.battery, margin }]];
    }
    case "NewChannelReq":
      return obeyNewChannel(session, command, context.region);
    case "RXTimingSetupReq":
      return [{ ...session, rxDelayS: Math.max(1, command.delay) }, [{ cid: "RXTimingSetupAns" }]];
    case "TxParamSetupReq": {
      // 5.9: only regions with a dwell time implement it; others keep silent
      if (context.region.dwellTimeMs === null) return [session, []];
      const maxEirpDbm = Math.min(context.region.maxEirpDbm, MAX_EIRP_DBM[command.maxEirp] ?? 0);
      return [{ ...session, uplinkDwell: command.uplinkDwell, maxEirpDbm }, [{ cid: "TxParamSetupAns" }]];
    }
    case "DlChannelReq":
      return obeyDlChannel(session, command, context.region);
    default:
      return [session, []];
  }
}

function inRange(region: Region, frequencyHz: number): boolean {
  const [lowest, highest] = region.frequencyRangeHz;
  return frequencyHz >= lowest && frequencyHz <= highest;
}

function obeyRxParam(session: DeviceSession, command: Command<"RXParamSetupReq">, region: Region): Step {
  const { rx2DataRate, rx1DrOffset, frequencyHz } = command;
  const channelAck = inRange(region, frequencyHz);
  const rx2DataRateAck = loraRate(region, rx2DataRate) !== null;
  // AS923 has offsets 6 and 7; the others stop at 5
  const rx1DrOffsetAck = rx1DrOffset <= (region.dwellTimeMs === null ? 5 : 7);
  const answer = { cid: "RXParamSetupAns", channelAck, rx2DataRateAck, rx1DrOffsetAck } as const;
  if (!channelAck || !rx2DataRateAck || !rx1DrOffsetAck) return [session, [answer]];
  return [{ ...session, rx2DataRate, rx1DrOffset, rx2FrequencyHz: frequencyHz }, [answer]];
}

function obeyNewChannel(session: DeviceSession, command: Command<"NewChannelReq">, region: Region): Step {
  const { chIndex, frequencyHz, minDataRate, maxDataRate } = command;
  // 5.6: the default channels are not the network's to change
  const own = chIndex < region.defaultChannelsHz.length || chIndex >= region.maxChannels;
  const frequencyAck = !own && (frequencyHz === 0 || inRange(region, frequencyHz));
  const dataRateAck =
    !own &&
    minDataRate <= maxDataRate &&
    loraRate(region, minDataRate) !== null &&
    loraRate(region, maxDataRate) !== null;
  const answer = { cid: "NewChannelAns", frequencyAck, dataRateAck } as const;
  if (!frequencyAck || !dataRateAck) return [session, [answer]];
  const channels = Array.from(
    { length: Math.max(session.channels.length, chIndex + 1) },
    (_, i) => session.channels[i] ?? null,
  );
  channels[chIndex] =
    frequencyHz === 0 ? null : { frequencyHz, minDataRate, maxDataRate, enabled: true, downlinkHz: null };
  return [{ ...session, channels }, [answer]];
}

function obeyDlChannel(session: DeviceSession, command: Command<"DlChannelReq">, region: Region): Step {
  const { chIndex, frequencyHz } = command;
  const uplinkFrequencyExists = (session.channels[chIndex] ?? null) !== null;
  const frequencyAck = inRange(region, frequencyHz);
  const answer = { cid: "DlChannelAns", frequencyAck, uplinkFrequencyExists } as const;
  if (!uplinkFrequencyExists || !frequencyAck) return [session, [answer]];
  const channels = session.channels.map((channel, i) =>
    i === chIndex && channel !== null ? { ...channel, downlinkHz: frequencyHz } : channel,
  );
  return [{ ...session, channels }, [answer]];
}
