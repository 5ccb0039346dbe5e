/** MAC commands of classes A and C, TS001-1.0.4 chapter 5. They travel one after the other, without separators, in
 *  FOpts or as the FRMPayload of FPort 0. Each is a CID byte and a fixed number of payload bytes, here one row of a table:
 *  the payload is read as one little-endian integer and cut into fields by bit. Bits of no field are RFU and zero. */
import { codecError } from "../device/codec-error.ts";
import type { Direction } from "./crypto.ts";

/** Lowest bit, width in bits, and how the bits are read; "hz100" counts steps of 100 Hz and is a value in Hz here. */
type Field = readonly [shift: number, width: number, kind: "number" | "flag" | "signed" | "hz100"];

interface Row {
  readonly code: number;
  readonly direction: Direction;
  /** Bytes after the CID. */
  readonly length: number;
  readonly fields: Readonly<Record<string, Field>>;
}

const COMMANDS = {
  LinkCheckReq: { code: 0x02, direction: "up", length: 0, fields: {} },
  /** margin: dB above the demodulation floor. */
  LinkCheckAns: {
    code: 0x02,
    direction: "down",
    length: 2,
    fields: { margin: [0, 8, "number"], gwCnt: [8, 8, "number"] },
  },
  LinkADRReq: {
    code: 0x03,
    direction: "down",
    length: 4,
    fields: {
      txPower: [0, 4, "number"],
      dataRate: [4, 4, "number"],
      chMask: [8, 16, "number"],
      nbTrans: [24, 4, "number"],
      chMaskCntl: [28, 3, "number"],
    },
  },
  LinkADRAns: {
    code: 0x03,
    direction: "up",
    length: 1,
    fields: { chMaskAck: [0, 1, "flag"], dataRateAck: [1, 1, "flag"], powerAck: [2, 1, "flag"] },
  },
  /** Aggregated duty cycle 1 / 2^maxDutyCycle. */
  DutyCycleReq: { code: 0x04, direction: "down", length: 1, fields: { maxDutyCycle: [0, 4, "number"] } },
  DutyCycleAns: { code: 0x04, direction: "up", length: 0, fields: {} },
  RXParamSetupReq: {
    code: 0x05,
    direction: "down",
    length: 4,
    fields: { rx2DataRate: [0, 4, "number"], rx1DrOffset: [4, 3, "number"], frequencyHz: [8, 24, "hz100"] },
  },
  RXParamSetupAns: {
    code: 0x05,
    direction: "up",
    length: 1,
    fields: { channelAck: [0, 1, "flag"], rx2DataRateAck: [1, 1, "flag"], rx1DrOffsetAck: [2, 1, "flag"] },
  },
  DevStatusReq: { code: 0x06, direction: "down", length: 0, fields: {} },
  /** battery: 0 external supply, 1-254 level, 255 unknown. margin: SNR of the DevStatusReq in dB, -32 to 31. */
  DevStatusAns: {
    code: 0x06,
    direction: "up",
    length: 2,
    fields: { battery: [0, 8, "number"], margin: [8, 6, "signed"] },
  },
  NewChannelReq: {
    code: 0x07,
    direction: "down",
    length: 5,
    fields: {
      chIndex: [0, 8, "number"],
      frequencyHz: [8, 24, "hz100"],
      minDataRate: [32, 4, "number"],
      maxDataRate: [36, 4, "number"],
    },
  },
  NewChannelAns: {
    code: 0x07,
    direction: "up",
    length: 1,
    fields: { frequencyAck: [0, 1, "flag"], dataRateAck: [1, 1, "flag"] },
  },
  /** delay: RECEIVE_DELAY1 in seconds, 0 and 1 both mean 1. */
  RXTimingSetupReq: { code: 0x08, direction: "down", length: 1, fields: { delay: [0, 4, "number"] } },
  RXTimingSetupAns: { code: 0x08, direction: "up", length: 0, fields: {} },
  /** maxEirp: index into the table of section 5.9, not dBm. Dwell true: 400 ms. */
  TxParamSetupReq: {
    code: 0x09,
    direction: "down",
    length: 1,
    fields: { maxEirp: [0, 4, "number"], uplinkDwell: [4, 1, "flag"], downlinkDwell: [5, 1, "flag"] },
  },
  TxParamSetupAns: { code: 0x09, direction: "up", length: 0, fields: {} },
  DlChannelReq: {
    code: 0x0a,
    direction: "down",
    length: 4,
    fields: { chIndex: [0, 8, "number"], frequencyHz: [8, 24, "hz100"] },
  },
  DlChannelAns: {
    code: 0x0a,
    direction: "up",
    length: 1,
    fields: { frequencyAck: [0, 1, "flag"], uplinkFrequencyExists: [1, 1, "flag"] },
  },
  DeviceTimeReq: { code: 0x0d, direction: "up", length: 0, fields: {} },
  /** gpsSeconds since 1980-01-06 (no leap seconds) at the end of the uplink; fraction in 1/256 s. */
  DeviceTimeAns: {
    code: 0x0d,
    direction: "down",
    length: 5,
    fields: { gpsSeconds: [0, 32, "number"], fraction: [32, 8, "number"] },
  },
} as const satisfies Record<string, Row>;

type Commands = typeof COMMANDS;
export type MacCommandName = keyof Commands;
type Values<Fields> = {
  readonly [Name in keyof Fields]: Fields[Name] extends readonly [number, number, "flag"] ? boolean : number;
};
export type MacCommand = {
  [Name in MacCommandName]: { readonly cid: Name } & Values<Commands[Name]["fields"]>;
}[MacCommandName];

const NAMES = Object.keys(COMMANDS) as MacCommandName[];
const FREQUENCY_STEP_HZ = 100;

/** The commands' bytes. Throws a RangeError for a command of the other direction or a value that does not fit. */
export function encodeMacCommands(commands: readonly MacCommand[], direction: Direction): Uint8Array {
  const bytes: number[] = [];
  for (const command of commands) {
    const row: Row = COMMANDS[command.cid];
    if (row.direction !== direction) throw new RangeError(command.cid + ": not a command of this direction");
    bytes.push(row.code);
    const values: Readonly<Record<string, unknown>> = { ...command };
    let payload = 0;
    for (const [name, field] of Object.entries(row.fields)) {
      payload += toBits(values[name], field, command.cid + "." + name) * 2 ** field[0];
    }
    for (let i = 0; i < row.length; i++) bytes.push(Math.floor(payload / 2 ** (8 * i)) % 256);
  }
  return Uint8Array.from(bytes);
}

function toBits(value: unknown, [, width, kind]: Field, name: string): number {
  const steps = kind === "hz100" ? Number(value) / FREQUENCY_STEP_HZ : Number(value);
  const lowest = kind === "signed" ? -(2 ** (width - 1)) : 0;
  if (!Number.isInteger(steps) || steps < lowest || steps >= lowest + 2 ** width) {
    throw new RangeError(name + ": " + String(value) + " does not fit in " + width + " bits");
  }
  return steps < 0 ? steps + 2 ** width : steps;
}

function fromBits(bits: number, [, width, kind]: Field): number | boolean {
  if (kind === "flag") return bits === 1;
  if (kind === "hz100") return bits * FREQUENCY_STEP_HZ;
  return kind === "signed" && bits >= 2 ** (width - 1) ? bits - 2 ** width : bits;
}

/** Throws a CodecError: cid (unknown), length (cut short), reserved. Accepted bytes encode to themselves again. */
export function decodeMacCommands(bytes: Uint8Array, direction: Direction): MacCommand[] {
  const { commands, error } = readMacCommands(bytes, direction);
  if (error !== null) throw error;
  return commands;
}

/** The commands before the first that cannot be understood, and why it cannot. Without separators nothing behind an
 *  unknown command can be found, but section 5 has those before it obeyed. */
export function readMacCommands(
  bytes: Uint8Array,
  direction: Direction,
): { readonly commands: MacCommand[]; readonly error: Error | null } {
  const commands: MacCommand[] = [];
  let at = 0;
  while (at < bytes.length) {
    const code = bytes[at] ?? 0;
    const cid = NAMES.find((name) => COMMANDS[name].code === code && COMMANDS[name].direction === direction);
    if (cid === undefined) {
      return { commands, error: codecError("cid", "MAC command: no " + direction + "link CID " + code) };
    }
    const { length } = COMMANDS[cid];
    if (at + 1 + length > bytes.length) {
      return { commands, error: codecError("length", "MAC command: " + cid + " is cut short") };
    }
    const command = readOne(cid, bytes.subarray(at + 1, at + 1 + length));
    if (command === null) {
      return { commands, error: codecError("reserved", "MAC command: RFU bits set in " + cid) };
    }
    commands.push(command);
    at += 1 + length;
  }
  return { commands, error: null };
}

function readOne(cid: MacCommandName, bytes: Uint8Array): MacCommand | null {
  const fields: Row["fields"] = COMMANDS[cid].fields;
  // up to 40 bits: arithmetic, because shifts stop at 32
  let rest = bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
  const payload = rest;
  const command: Record<string, unknown> = { cid };
  for (const [name, field] of Object.entries(fields)) {
    const bits = Math.floor(payload / 2 ** field[0]) % 2 ** field[1];
    rest -= bits * 2 ** field[0];
    command[name] = fromBits(bits, field);
  }
  return rest === 0 ? (command as MacCommand) : null;
}
