/** The radio carrier: LoRa gateways that speak the Semtech UDP protocol, version 2 (and 1). Nothing in it is
 *  authenticated, so every datagram is weighed before it is answered: a stranger gets no answer at all, and what is
 *  refused is counted by its reason. */
import { isCodecError } from "../../protocols/device/codec-error.ts";
import { dataRateText, type Region } from "../../protocols/lorawan/regions.ts";
import {
  decodeSemtech,
  encodeSemtech,
  type PushData,
  type Rxpk,
  type SemtechPacket,
  type SemtechVersion,
  type Stat,
  type TxAck,
} from "../../protocols/semtech-udp.ts";
import type { Clock } from "../clock.ts";
import type { Carrier, Reception, SendResult, Transmission } from "./carrier.ts";
import type { DatagramAddress, DatagramSocket, Datagrams } from "./datagram.ts";
import { createEuiTexts } from "./eui-texts.ts";
import { createAccessList, type GatewayAccess } from "./gateway-access.ts";
import { createGatewayLink, type GatewayLink, type RateLimit } from "./gateway-link.ts";
import { createTxRequests } from "./tx-requests.ts";

export interface SemtechUdpOptions {
  region: Region;
  clock: Clock;
  datagrams: Datagrams;
  /** Default 127.0.0.1. Anything that others can reach needs `gateways` with sources. */
  address?: string;
  /** Default 1700; 0 takes a free one. */
  port?: number;
  /** The only gateways that are heard. Left out: any, from this machine. */
  gateways?: readonly GatewayAccess[];
  /** Datagrams per gateway. One 8-channel gateway cannot hear more than about 140 frames a second at SF7. */
  rateLimit?: RateLimit;
  /** How long before its start a downlink leaves the hub. The usual forwarder needs 42.5 ms (TX start 1.5, margin 1,
   *  just-in-time queue 40); add the way there. */
  leadMs?: number;
  /** Two unpredictable bytes for a token. */
  random: (bytes: number) => Uint8Array;
  onReception(reception: Reception): void;
  /** The gateway lives: any valid datagram ("seen"), or its own report ("stat"). */
  onGateway?(gateway: string, what: "seen" | "stat", stat: Stat | null): void;
}

export type SemtechCounter = keyof ReturnType<typeof zeroCounters>;

export interface SemtechUdpCarrier extends Carrier {
  readonly name: "semtech-udp";
  readonly address: DatagramAddress;
  readonly counters: Readonly<Record<SemtechCounter, number>>;
}

const DEFAULT_PORT = 1700;
const DEFAULT_LEAD_MS = 60;
const DEFAULT_RATE: RateLimit = { perSecond: 500, burst: 1000 };
/** Without a list, whoever is on this machine could invent gateways without end. */
const MAX_GATEWAYS = 256;
const HEADER_WITH_EUI = 12;
const PUSH_DATA = 0;
const PULL_DATA = 2;
const TX_ACK = 5;

const zeroCounters = () => ({
  datagrams: 0,
  receptions: 0,
  stats: 0,
  pullData: 0,
  txAcks: 0,
  pullResps: 0,
  malformed: 0,
  notFromGateway: 0,
  unknownGateway: 0,
  tooManyGateways: 0,
  wrongAddress: 0,
  rateLimited: 0,
  badCrc: 0,
  duplicates: 0,
  unknownDataRate: 0,
  unknownTxAck: 0,
  txAckTimeouts: 0,
  txRefused: 0,
  txPowerChanged: 0,
});

/** Binds the socket. Throws when the binding is unsafe or impossible; the message says what to do. */
export async function openSemtechUdp(options: SemtechUdpOptions): Promise<SemtechUdpCarrier> {
  const { address = "127.0.0.1", port = DEFAULT_PORT } = options;
  const access = createAccessList(address, options.gateways);
  const socket = await options.datagrams.bind(port, address);
  return createSemtechUdp(options, socket, access.allows);
}

function createSemtechUdp(
  options: SemtechUdpOptions,
  socket: DatagramSocket,
  allows: (eui: string, address: string) => boolean,
): SemtechUdpCarrier {
  const { region, clock, random, onReception, rateLimit = DEFAULT_RATE } = options;
  const counters = zeroCounters();
  const links = new Map<string, GatewayLink>();
  const euis = createEuiTexts();
  const requests = createTxRequests(clock, random);
  let closed = false;

  /** The sender and its link, or null when nothing more may be done with this datagram. */
  const admit = (bytes: Uint8Array, from: DatagramAddress, nowMs: number): Sender | null => {
    const type = bytes[3];
    if (bytes.length < HEADER_WITH_EUI || (type !== PUSH_DATA && type !== PULL_DATA && type !== TX_ACK)) {
      counters.notFromGateway++;
      return null;
    }
    const eui = euis.read(bytes);
    let link = links.get(eui);
    // before anything is parsed: a stranger costs the hub no more than this
    if (link?.pinned !== from.address && !allows(eui, from.address)) {
      counters.unknownGateway++;
      return null;
    }
    if (link === undefined) {
      if (links.size >= MAX_GATEWAYS) {
        counters.tooManyGateways++;
        return null;
      }
      link = createGatewayLink(rateLimit);
      links.set(eui, link);
      euis.keep(bytes, eui);
    }
    if (!link.pin(from.address, nowMs)) counters.wrongAddress++;
    else if (!link.take(nowMs)) counters.rateLimited++;
    else return { eui, link };
    return null;
  };

  const receive = (bytes: Uint8Array, from: DatagramAddress) => {
    if (closed) return;
    counters.datagrams++;
    const nowMs = clock.monotonicMs();
    const sender = admit(bytes, from, nowMs);
    if (sender === null) return;
    const { eui, link } = sender;
    const packet = decode(bytes, eui);
    if (packet === null) {
      counters.malformed++;
      return;
    }
    if (packet.type === "pushData") {
      reply({ type: "pushAck", token: packet.token, version: packet.version }, from);
      push(packet, link, nowMs);
    } else if (packet.type === "pullData") {
      counters.pullData++;
      link.pulled(from, packet.version, nowMs);
      reply({ type: "pullAck", token: packet.token, version: packet.version }, from);
    } else if (packet.type === "txAck") txAck(packet);
    if ("gateway" in packet) options.onGateway?.(packet.gateway, "seen", null);
  };

  const reply = (packet: SemtechPacket, to: DatagramAddress) => {
    socket.send(encodeSemtech(packet), to.port, to.address);
  };

  const push = ({ gateway, rxpk, stat }: PushData, link: GatewayLink, atMs: number) => {
    if (stat !== null) {
      counters.stats++;
      options.onGateway?.(gateway, "stat", stat);
    }
    for (const received of rxpk) {
      if (received.crc !== "ok") counters.badCrc++;
      else if (link.isDuplicate(received.tmst, received.phyPayload, atMs)) counters.duplicates++;
      else hand(received, gateway, atMs);
    }
  };

  const hand = (received: Rxpk, gateway: string, atMs: number) => {
    const dataRate = dataRateIndex(region, received.dataRate);
    if (dataRate === null) {
      counters.unknownDataRate++;
      return;
    }
    counters.receptions++;
    const { phyPayload, rssiDbm, snrDb, frequencyHz, tmst } = received;
    const reception: Reception = {
      phyPayload,
      carrier: "semtech-udp",
      gateway,
      rssiDbm,
      snrDb,
      frequencyHz,
      dataRate,
      tmst,
      atMs,
    };
    onReception(reception);
  };

  const txAck = ({ token, gateway, error, warn }: TxAck) => {
    if (!requests.answer(gateway, token, error ?? "queued")) {
      counters.unknownTxAck++;
      return;
    }
    counters.txAcks++;
    if (error !== null) counters.txRefused++;
    if (warn !== null) counters.txPowerChanged++;
  };

  const send = async (transmission: Transmission): Promise<SendResult> => {
    const { gateway } = transmission;
    const downlink = links.get(gateway)?.downlink(clock.monotonicMs()) ?? null;
    if (closed || downlink === null) return "noGateway";
    const result = await requests.ask(gateway, (token) => {
      counters.pullResps++;
      reply(pullResp(region, transmission, { token, version: downlink.version }), downlink.to);
    });
    if (result === "noAnswer") counters.txAckTimeouts++;
    return result;
  };

  socket.onMessage(receive);
  return {
    name: "semtech-udp",
    address: socket.address,
    leadMs: options.leadMs ?? DEFAULT_LEAD_MS,
    counters,
    send,
    async close() {
      closed = true;
      requests.close();
      await socket.close();
    },
  };
}

interface Sender {
  readonly eui: string;
  readonly link: GatewayLink;
}

/** Null for what is not the protocol. */
function decode(bytes: Uint8Array, eui: string): (SemtechPacket & { version: SemtechVersion }) | null {
  try {
    return decodeSemtech(bytes, eui);
  } catch (error) {
    if (isCodecError(error)) return null;
    throw error;
  }
}

function pullResp(
  region: Region,
  transmission: Transmission,
  header: { token: number; version: SemtechVersion },
): SemtechPacket {
  const { tmst, frequencyHz, dataRate, eirpDbm, phyPayload } = transmission;
  const fsk = region.dataRates[dataRate]?.modulation === "fsk";
  return {
    type: "pullResp",
    ...header,
    txpk: {
      tmst,
      frequencyHz,
      rfChain: 0,
      eirpDbm,
      dataRate: dataRateText(region, dataRate),
      codingRate: fsk ? null : "4/5",
      invertPolarity: true,
      crc: false,
      phyPayload,
    },
  };
}

/** Data rates of each region by their text: looked up for every frame. */
const dataRates = new WeakMap<Region, Map<string, number | null>>();

function dataRateIndex(region: Region, text: string): number | null {
  let known = dataRates.get(region);
  if (known === undefined) {
    known = new Map(
      region.dataRates.flatMap((rate, i) => (rate === null ? [] : [[dataRateText(region, i), i]])),
    );
    dataRates.set(region, known);
  }
  return known.get(text) ?? null;
}
