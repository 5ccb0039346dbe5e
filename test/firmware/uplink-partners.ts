/** Virtual partners of the uplinks: both modems on a radio, the master of a bus, a broker. */
import { generate, type Packet, parser } from "mqtt-packet";
import { DO, type UplinkEffect } from "../../firmware/uplink.ts";
import { createVirtualClock } from "../../hardware/virtual/clock.ts";
import { createRak3172 } from "../../hardware/virtual/rak3172.ts";
import { forkRandom } from "../../hardware/virtual/random.ts";
import { createRn2483 } from "../../hardware/virtual/rn2483.ts";
import { createDeframer, encodeFrame, nextSequence, type WireFrame } from "../../protocols/device/frame.ts";
import { toHex } from "../../protocols/lorawan/hex.ts";
import { createRadioWorld } from "../hardware/radio-world.ts";
import { createDirectHub } from "./direct-hub.ts";
import { bytesOf } from "./espruino.ts";
import type { Fault, Partner } from "./uplink-contract.ts";
import { IDENTITY } from "./uplink-identity.ts";

type Faults = Record<Fault, boolean>;

function noFaults(): Faults {
  return { silent: false, reset: false, garbage: false, fragments: false, noAck: false, refuse: false };
}

/** Before one of so many things that are said. */
const NOISE = "\xfe\x13~";
const NOISY = 5;

/** What is said, in one piece or byte by byte. */
function createMouth(faults: Faults, isNoisy = true) {
  const listeners: ((text: string) => void)[] = [];
  let said = 0;
  const say = (words: string) => {
    said++;
    const text = faults.garbage && isNoisy && said % NOISY === 0 ? NOISE + words : words;
    for (const piece of faults.fragments ? text : [text]) for (const listener of listeners) listener(piece);
  };
  return { say, onText: (listener: (text: string) => void) => void listeners.push(listener) };
}

/** A modem on a radio, before a gateway and a network server. */
async function createModemPartner(
  seed: number,
  words: { tx: string; busy: string; make: typeof createRak3172 | typeof createRn2483 },
): Promise<Partner> {
  const faults = noFaults();
  const mouth = createMouth(faults);
  const state: Pick<Partner, "downlink"> = { downlink: null };
  const world = createRadioWorld({
    seed,
    echo: {
      answer: ({ frame }) => {
        if (faults.noAck) return null;
        const ack = frame.mType === "confirmedDataUp";
        const { downlink } = state;
        if (downlink === null) return ack ? { ack } : null;
        return { ack, fPort: downlink.port, payload: Buffer.from(downlink.hex, "hex") };
      },
    },
  });
  await world.gateway();
  // the server learns the key with the device; this one never speaks
  world.device(IDENTITY.devEui).off();
  const { clock, air, random } = world;
  const modem = words.make({ clock, air, random: forkRandom(random) });
  modem.onData((bytes) => mouth.say(Buffer.from(bytes).toString("latin1")));
  modem.powerOn();
  return Object.assign(state, {
    clock,
    heard: () =>
      world.hub.uplinks.map(({ frame, payload }) => ({
        port: frame.fPort,
        hex: toHex(payload),
        isConfirmed: frame.mType === "confirmedDataUp",
      })),
    onText: mouth.onText,
    setFault(fault: Fault, isOn: boolean) {
      faults[fault] = isOn;
      modem.faults = {
        mute: faults.silent,
        ...(faults.reset ? { resetOn: words.tx } : {}),
      };
    },
    write(text: string) {
      if (faults.refuse && text.startsWith(words.tx)) mouth.say(`\r\n${words.busy}\r\n`);
      else modem.write(Buffer.from(text, "latin1"));
    },
    obey(effect: UplinkEffect) {
      if (effect.do !== DO.reset && effect.do !== DO.power) return;
      modem.powerOff();
      modem.powerOn();
    },
  });
}

export const createRakPartner = (seed: number) =>
  createModemPartner(seed, { tx: "AT+SEND", busy: "AT_BUSY_ERROR", make: createRak3172 });

export const createRnPartner = (seed: number) =>
  createModemPartner(seed, { tx: "mac tx", busy: "busy", make: createRn2483 });

/** A network server without radio, whose answers a test may lose or fill. */
function createServer(faults: Faults, state: Pick<Partner, "downlink">) {
  const hub = createDirectHub(IDENTITY.appKey);
  hub.answer = ({ isConfirmed }) => {
    if (faults.noAck) return null;
    return { ack: isConfirmed, ...state.downlink };
  };
  return hub;
}

const POLL_MS = 40;
const DISK_MS = 15;
const ADDRESS = IDENTITY.wireAddress ?? 0;

/** The master of a bus on which ours is one of several devices, with the sequence rule of the wire's codec. */
export function createWirePartner() {
  const clock = createVirtualClock();
  const faults = noFaults();
  const mouth = createMouth(faults);
  const state: Pick<Partner, "downlink"> & { pollMs: number } = { downlink: null, pollMs: POLL_MS };
  const hub = createServer(faults, state);
  let sequence = 0;
  let last = "";
  let isAnswered = true;
  const waiting: Uint8Array[] = [];
  const answers: WireFrame[] = [];
  const joinsAtMs: number[] = [];
  const write = (address: number, payload: Uint8Array) => {
    const type = payload.length > 0 ? "data" : "poll";
    const frame: WireFrame = { address, fromDevice: false, type, sequence, payload };
    return Buffer.from(encodeFrame(frame)).toString("latin1");
  };
  const poll = () => {
    clock.setTimer(poll, state.pollMs);
    if (faults.silent) return;
    // another device takes all its time
    if (faults.refuse) return mouth.say(write(ADDRESS + 1, new Uint8Array(0)));
    if (isAnswered) last = write(ADDRESS, waiting.shift() ?? new Uint8Array(0));
    isAnswered = false;
    mouth.say(last);
  };
  const take = (frame: WireFrame) => {
    answers.push(frame);
    if (frame.address !== ADDRESS || frame.sequence !== sequence || isAnswered) return;
    if (faults.reset && frame.type === "data") {
      // it loses what it just heard, and begins anew
      faults.reset = false;
      sequence = 0;
      isAnswered = true;
      return;
    }
    isAnswered = true;
    sequence = nextSequence(sequence);
    if (frame.type !== "data") return;
    if (frame.payload[0] === 0) joinsAtMs.push(clock.monotonicMs());
    const down = hub.receive(frame.payload);
    clock.setTimer(() => waiting.push(...down), DISK_MS);
  };
  const deframe = createDeframer(take, () => undefined);
  clock.setTimer(poll, POLL_MS);
  return Object.assign(state, {
    clock,
    hub,
    answers,
    joinsAtMs,
    heard: () => hub.uplinks,
    onText: mouth.onText,
    setFault: (fault: Fault, isOn: boolean) => {
      faults[fault] = isOn;
    },
    write: (text: string) => {
      if (!faults.silent) deframe(bytesOf(text));
    },
    push: (bytes: Uint8Array) => void waiting.push(bytes),
  });
}

/** A broker that asks the network server before it acknowledges, with a codec of others. */
export function createMqttPartner() {
  const clock = createVirtualClock();
  const faults = noFaults();
  const mouth = createMouth(faults, false);
  const state: Pick<Partner, "downlink"> = { downlink: null };
  const hub = createServer(faults, state);
  const packets: Packet[] = [];
  let tell: ((isConnected: boolean) => void) | null = null;
  let reader = parser({ protocolVersion: 4 });
  const say = (packet: Packet, delayMs = 2) =>
    clock.setTimer(() => {
      if (tell === null || faults.silent) return;
      // TCP carries no noise, but a broker may say what nobody asked for
      if (faults.garbage) mouth.say(generate({ cmd: "puback", messageId: 4711 }).toString("latin1"));
      mouth.say(generate(packet).toString("latin1"));
    }, delayMs);
  const cut = () => {
    const told = tell;
    tell = null;
    if (told !== null) clock.setTimer(() => told(false), 1);
  };
  const publish = (bytes: Uint8Array) =>
    say(
      {
        cmd: "publish",
        topic: `tugma/device/${IDENTITY.devEui}/down`,
        payload: Buffer.from(bytes),
        qos: 0,
        dup: false,
        retain: false,
      },
      DISK_MS,
    );
  const hear = (packet: Packet) => {
    packets.push(packet);
    if (packet.cmd === "connect") say({ cmd: "connack", returnCode: 0, sessionPresent: false });
    else if (packet.cmd === "subscribe")
      say({ cmd: "suback", messageId: packet.messageId ?? 0, granted: [0] });
    else if (packet.cmd === "pingreq") say({ cmd: "pingresp" });
    else if (packet.cmd === "publish") {
      if (faults.silent) return;
      if (faults.refuse || faults.reset) {
        faults.reset = false;
        return cut();
      }
      const down = hub.receive(Uint8Array.from(packet.payload as Buffer));
      say({ cmd: "puback", messageId: packet.messageId ?? 0 });
      for (const bytes of down) publish(bytes);
    }
  };
  return Object.assign(state, {
    clock,
    hub,
    packets,
    cut,
    publish,
    heard: () => hub.uplinks,
    onText: mouth.onText,
    setFault: (fault: Fault, isOn: boolean) => {
      faults[fault] = isOn;
    },
    write: (text: string) => void reader.parse(Buffer.from(text, "latin1")),
    obey(effect: UplinkEffect, told: (isConnected: boolean) => void) {
      if (effect.do === DO.close) tell = null;
      if (effect.do !== DO.connect) return;
      reader = parser({ protocolVersion: 4 });
      reader.on("packet", hear);
      const mine = told;
      tell = mine;
      clock.setTimer(() => {
        if (tell === mine) mine(true);
      }, 50);
    },
  });
}
