/** MQTT 3.1.1 over Wi-Fi to the hub's broker, the device's side. Pure: what comes over the connection and time in, packets
 *  and requests to open and close out. LoRaWAN is made on the board (lorawan-link.ts); its PHYPayloads go out as
 *  `tugma/device/<DevEUI>/up` at QoS 1 and come in on `…/down` at QoS 0: a downlink that is lost is asked for again.
 *    open    effect connect → input isConnected · CONNECT (clean session, DevEUI and password) → CONNACK ·
 *            SUBSCRIBE → SUBACK: the way is open
 *    frame   PUBLISH: it is on air · PUBACK: it has arrived, and the hub has stored it
 *    quiet   PINGREQ after PING_MS without a word, and the end of the connection when that stays unanswered
 *  A frame whose connection ends is not published again, a LoRaWAN counter being good for once: the core makes it anew.
 *  Whatever goes wrong ends in closing, and opening again after a pause that doubles; an alarm ends the pause. */
import { byteAt, bytesText } from "./bytes.ts";
import type { DeviceIdentity } from "./identity.ts";
import {
  confirm,
  createLink,
  type Draft,
  handOver,
  type Link,
  setUp,
  stepLink,
  takeDownlink,
} from "./lorawan-link.ts";
import { DO, type UplinkEffect, type UplinkInput } from "./uplink.ts";

/** Of joining the Wi-Fi and of opening the connection, and of each answer that opens the way. */
const OPEN_MS = 20000;
const PING_MS = 30000;
const PONG_MS = 5000;
const PAUSE_MS = 1000;
const MOST_DOUBLINGS = 6;
/** The longest packet that anyone has reason to send us. */
const LONGEST = 600;
/** Of CONNECT, twice what we are ever silent for. */
const KEEP_ALIVE_S = 70;

const CONNACK = 2;
const PUBLISH = 3;
const PUBACK = 4;
const SUBACK = 9;

export interface MqttUplink extends Link {
  /** Bytes of a packet whose end has not come. */
  readonly piece: string;
  /** Asked for, or there. */
  readonly isOpen: boolean;
  /** When the connection has something to do, or is given up. */
  readonly netMs: number;
  /** Deadline of the link's phase. */
  readonly linkMs: number;
  readonly isPinged: boolean;
  /** Connections in a row that did not come to be of use. */
  readonly failures: number;
  /** PHYPayload that was published last, and its packet identifier. */
  readonly published: string;
  readonly packetId: number;
}

type MqttDraft = Draft<MqttUplink>;

/** True when this identity knows a broker. */
export function isUsable(identity: DeviceIdentity): boolean {
  return identity.wifi !== undefined && identity.broker !== undefined;
}

/** Wi-Fi has no LoRaWAN data rates. */
export function lowestRateOf(): number {
  return 0;
}

/** A board that was just given power. */
export function createUplink(identity: DeviceIdentity, nowMs: number): MqttUplink {
  const closed = { piece: "", isOpen: false, netMs: nowMs, linkMs: Infinity, isPinged: false, failures: 0 };
  return Object.assign(createLink(identity, nowMs, false), closed, { published: "", packetId: 0 });
}

function write(d: MqttDraft, head: number, body: string): void {
  const length = body.length;
  const size = length > 127 ? bytesText((length & 127) | 128, length >> 7) : bytesText(length);
  d.effects.push({ do: DO.write, text: bytesText(head) + size + body });
}

/** A string as MQTT writes it, behind its length; packet identifiers are two bytes as well. */
function text(value: string): string {
  return bytesText(0, value.length) + value;
}

function topic(d: MqttDraft, direction: string): string {
  return text("tugma/device/" + d.identity.devEui + direction);
}

/** The connection is gone, or is to go. */
function close(d: MqttDraft): void {
  d.effects.push({ do: DO.close });
  d.isOpen = d.isPinged = false;
  d.piece = "";
  d.netMs = d.nowMs + (PAUSE_MS << Math.min(d.failures, MOST_DOUBLINGS)) * (0.8 + 0.4 * d.luck);
  d.failures++;
  if (d.isUp) setUp(d, false);
}

function takePacket(d: MqttDraft, type: number, body: string): void {
  const isRight = type === CONNACK ? byteAt(body, 1) === 0 : type !== SUBACK || byteAt(body, 2) === 0;
  d.isPinged = false;
  d.netMs = d.nowMs + PING_MS;
  if (!isRight) close(d);
  else if (type === CONNACK) write(d, 0x82, bytesText(0, 1) + topic(d, "/down") + bytesText(0));
  else if (type === SUBACK) {
    d.failures = 0;
    setUp(d, true);
  } else if (type === PUBACK) {
    if (byteAt(body, 1) === d.packetId) confirm(d);
  } else if (type === PUBLISH) takeDownlink(d, body.substr(2 + byteAt(body, 1)));
}

function takeBytes(d: MqttDraft, bytes: string): void {
  let isWhole = true;
  d.piece += bytes;
  while (isWhole) {
    const low = byteAt(d.piece, 1);
    const head = low > 127 ? 3 : 2;
    const end = head + (low & 127) + (low > 127 ? byteAt(d.piece, 2) * 128 : 0);
    isWhole = d.piece.length >= end;
    if (!isWhole) continue;
    const packet = d.piece.slice(0, end);
    d.piece = d.piece.substr(end);
    takePacket(d, byteAt(packet, 0) >> 4, packet.substr(head));
  }
  if (d.piece.length > LONGEST) close(d);
}

/** What the connection has to do by now. */
function tick(d: MqttDraft): void {
  d.netMs = d.nowMs + OPEN_MS;
  if (!d.isOpen) {
    d.isOpen = true;
    d.effects.push({ do: DO.connect });
  } else if (d.isUp && !d.isPinged) {
    d.isPinged = true;
    d.netMs = d.nowMs + PONG_MS;
    write(d, 0xc0, "");
  } else close(d);
}

function greet(d: MqttDraft): void {
  const broker = d.identity.broker;
  const login =
    text(d.identity.devEui) + text(d.identity.devEui) + text(broker === undefined ? "" : broker.password);
  d.netMs = d.nowMs + OPEN_MS;
  write(d, 0x10, text("MQTT") + bytesText(4, 0xc2, 0, KEEP_ALIVE_S) + login);
}

/** Takes one input. `luck`: 0 to 1, another for every step. */
export function stepUplink(
  uplink: MqttUplink,
  input: UplinkInput,
  luck: number,
): readonly [MqttUplink, readonly UplinkEffect[]] {
  const more = { nowMs: input.nowMs, dueMs: uplink.linkMs, luck: luck, effects: [] };
  const d: MqttDraft = Object.assign({}, uplink, more);
  if (input.text !== undefined) {
    if (d.isOpen) takeBytes(d, input.text);
  } else if (input.isConnected && d.isOpen) greet(d);
  else if (input.isConnected !== undefined) close(d);
  else {
    stepLink(d, input);
    if (input.isAlarm && !d.isOpen) d.netMs = d.nowMs;
    if (d.nowMs >= d.netMs) tick(d);
  }
  if (d.isUp && d.out !== "" && d.out !== d.published) {
    d.published = d.out;
    d.packetId = (d.packetId % 255) + 1;
    // the broker's word for it is as good as an answer to a ping; a second frame gives it no more time
    if (!d.isPinged) d.netMs = d.nowMs + PONG_MS;
    d.isPinged = true;
    write(d, 0x32, topic(d, "/up") + bytesText(0, d.packetId) + d.out);
    handOver(d);
  }
  d.linkMs = d.dueMs;
  d.dueMs = Math.min(d.dueMs, d.netMs);
  return [d, d.effects];
}
