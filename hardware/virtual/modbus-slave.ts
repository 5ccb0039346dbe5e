/** A Modbus RTU line with units on it: a fire panel's interface, a duct detector, a relay. Half duplex, each character
 *  takes its time, a request is over when the line has been silent for three and a half characters. */
import type { Clock } from "./clock.ts";
import { lineMs } from "./uart.ts";

export interface ModbusUnit {
  /** By address; what is not there is refused with exception 2. Bits are 0 or 1. */
  readonly coils: Map<number, number>;
  readonly discreteInputs: Map<number, number>;
  readonly holdingRegisters: Map<number, number>;
  readonly inputRegisters: Map<number, number>;
  /** From the end of a request to the start of its answer, besides the silence. */
  latencyMs: number;
  /** An exception code in place of the answer, or null. */
  refuse: (functionCode: number, address: number) => number | null;
  /** Hears and does not answer. */
  isMute: boolean;
  /** A write of a single register that the unit takes. */
  onWrite: (address: number, value: number) => void;
}

export interface ModbusLineFaults {
  /** An adapter that hears what it sends. */
  echo?: boolean;
  /** What becomes of an answer on its way; null: nothing arrives. */
  change?: (frame: Uint8Array) => Uint8Array | null;
}

export interface VirtualModbusLine {
  readonly units: Map<number, ModbusUnit>;
  readonly faults: ModbusLineFaults;
  /** Everything that was sent to the units. */
  readonly requests: readonly Uint8Array[];
  /** The master's end: `receive` is called with what arrives. */
  connect(receive: (bytes: Uint8Array) => void): void;
  write(bytes: Uint8Array): void;
  /** Bytes out of nowhere. */
  noise(bytes: Uint8Array): void;
}

const TABLES = {
  1: "coils",
  2: "discreteInputs",
  3: "holdingRegisters",
  4: "inputRegisters",
} as const;
const GAP_CHARACTERS = 3.5;
const ILLEGAL_FUNCTION = 1;
const ILLEGAL_ADDRESS = 2;
const REQUEST_LENGTH = 8;

/** A unit with empty memory. */
export function createModbusUnit(): ModbusUnit {
  return {
    coils: new Map(),
    discreteInputs: new Map(),
    holdingRegisters: new Map(),
    inputRegisters: new Map(),
    latencyMs: 0,
    refuse: () => null,
    isMute: false,
    onWrite: () => undefined,
  };
}

/** `baudRate` 0: characters take no time. */
export function createModbusLine({ clock, baudRate }: { clock: Clock; baudRate: number }): VirtualModbusLine {
  const units = new Map<number, ModbusUnit>();
  const faults: ModbusLineFaults = {};
  const requests: Uint8Array[] = [];
  let receive: (bytes: Uint8Array) => void = () => undefined;
  /** When each unit has finished what it has been asked: it answers in that order. */
  const busyUntilMs = new Map<number, number>();

  function hear(frame: Uint8Array): void {
    const [id = 0] = frame;
    const unit = units.get(id);
    if (frame.length !== REQUEST_LENGTH || crcOf(frame) !== 0 || unit === undefined || unit.isMute) return;
    const readyMs = Math.max(clock.monotonicMs(), busyUntilMs.get(id) ?? 0) + unit.latencyMs;
    busyUntilMs.set(id, readyMs);
    clock.setTimer(() => {
      const answer = answerOf(unit, frame);
      clock.setTimer(() => arrive(answer), lineMs(answer.length, baudRate));
    }, readyMs - clock.monotonicMs());
  }

  function arrive(answer: Uint8Array): void {
    const frame = faults.change === undefined ? answer : faults.change(answer);
    if (frame === null) return;
    // a driver hands on what it has when it is asked: rarely whole frames
    const cut = Math.min(3, frame.length);
    receive(frame.subarray(0, cut));
    receive(frame.subarray(cut));
  }

  return {
    units,
    faults,
    requests,
    connect(to) {
      receive = to;
    },
    write(bytes) {
      const frame = Uint8Array.from(bytes);
      requests.push(frame);
      const sentMs = lineMs(frame.length, baudRate);
      if (faults.echo) clock.setTimer(() => receive(frame), sentMs);
      clock.setTimer(() => hear(frame), sentMs + lineMs(GAP_CHARACTERS, baudRate));
    },
    noise: (bytes) => receive(bytes),
  };
}

function answerOf(unit: ModbusUnit, request: Uint8Array): Uint8Array {
  const [id = 0, functionCode = 0] = request;
  const address = word(request, 2);
  const refused = unit.refuse(functionCode, address);
  const body = refused ?? bodyOf(unit, functionCode, address, word(request, 4));
  if (typeof body === "number") return sealed([id, functionCode | 0x80, body]);
  return functionCode === 6 ? request : sealed([id, functionCode, body.length, ...body]);
}

/** The data of an answer, or the code of an exception. */
function bodyOf(unit: ModbusUnit, functionCode: number, address: number, count: number): number[] | number {
  if (functionCode === 6) {
    unit.onWrite(address, count);
    return [];
  }
  const table = TABLES[functionCode as keyof typeof TABLES];
  if (table === undefined) return ILLEGAL_FUNCTION;
  const values = Array.from({ length: count }, (_, at) => unit[table].get(address + at));
  if (count === 0 || values.includes(undefined)) return ILLEGAL_ADDRESS;
  const known = values.map((value) => value ?? 0);
  return functionCode <= 2 ? packed(known) : known.flatMap((value) => [value >> 8, value & 0xff]);
}

/** Bits into bytes, the first one lowest. */
function packed(bits: readonly number[]): number[] {
  const bytes = new Array<number>(Math.ceil(bits.length / 8)).fill(0);
  for (const [at, bit] of bits.entries()) bytes[at >> 3] = (bytes[at >> 3] ?? 0) | (bit << (at & 7));
  return bytes;
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function sealed(bytes: readonly number[]): Uint8Array {
  const crc = crcOf(Uint8Array.from(bytes));
  return Uint8Array.of(...bytes, crc & 0xff, crc >> 8);
}

/** CRC-16/MODBUS by table; 0 for a frame with its own CRC behind it. */
function crcOf(bytes: Uint8Array): number {
  return bytes.reduce((crc, byte) => (crc >> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0), 0xffff);
}

const CRC_TABLE = Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? 0xa001 : 0);
  return crc;
});
