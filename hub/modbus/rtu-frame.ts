/** Frames of a Modbus serial line (MODBUS over Serial Line V1.02, 2.5.1): address, function, data, CRC low byte first.
 *  A frame has neither a length nor a number of its own: only the request says which bytes can be its answer.
 *     request   unit · function · address (2) · count or value (2) · CRC (2)
 *     data      unit · function · n · n bytes · CRC          of functions 1 to 4
 *     written   the request again                            of functions 5 and 6
 *     refused   unit · function + 128 · exception · CRC                                                       */

export interface ModbusRequest {
  /** 1-247. */
  readonly unit: number;
  readonly functionCode: FunctionCode;
  /** As on the wire: from 0. */
  readonly address: number;
  /** How many coils or registers; for functions 5 and 6 the value to be written. */
  readonly count: number;
}

/** Reads, and the two writes that this software knows: a single coil, for its own relays, and a single register that selects
 *  what is to be read. */
export type FunctionCode = ReadFunction | 5 | 6;
export type ReadFunction = 1 | 2 | 3 | 4;

/** Function 5 knows these two values only. */
export const COIL_ON = 0xff00;
export const COIL_OFF = 0;

export const EXCEPTION_LENGTH = 5;
const EXCEPTION_BIT = 0x80;
const HEAD = 3;
const CRC_LENGTH = 2;

/** CRC-16/MODBUS: polynomial 8005h reflected, initial value FFFFh. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return crc;
}

/** Answered by the request itself. */
export function isWrite(functionCode: FunctionCode): functionCode is 5 | 6 {
  return functionCode === 5 || functionCode === 6;
}

/** Bytes of the answer, if it is no exception. */
export function replyLength({ functionCode, count }: Pick<ModbusRequest, "functionCode" | "count">): number {
  if (isWrite(functionCode)) return 8;
  return HEAD + dataLength(functionCode, count) + CRC_LENGTH;
}

function dataLength(functionCode: ReadFunction, count: number): number {
  return functionCode <= 2 ? Math.ceil(count / 8) : 2 * count;
}

/** The request in a frame that modbus-serial has made. */
export function requestOf(frame: Uint8Array): ModbusRequest {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  return {
    unit: view.getUint8(0),
    functionCode: view.getUint8(1) as FunctionCode,
    address: view.getUint16(2),
    count: view.getUint16(4),
  };
}

/** The whole frame at the start of `bytes` that can only answer this request; null when there is none. `sent` is the
 *  request as it went out: adapters that hear themselves bring it back, and it answers no read. */
export function replyAt(bytes: Uint8Array, request: ModbusRequest, sent: Uint8Array): Uint8Array | null {
  if (bytes[0] !== request.unit) return null;
  const { functionCode } = request;
  if (bytes[1] === (functionCode | EXCEPTION_BIT)) return checked(bytes, EXCEPTION_LENGTH);
  if (bytes[1] !== functionCode) return null;
  const length = replyLength(request);
  if (isWrite(functionCode)) return isEqual(bytes.subarray(0, length), sent) ? bytes.slice(0, length) : null;
  if (bytes[2] !== dataLength(functionCode, request.count)) return null;
  const frame = checked(bytes, length);
  return frame !== null && isEqual(frame, sent) ? null : frame;
}

function checked(bytes: Uint8Array, length: number): Uint8Array | null {
  if (bytes.length < length) return null;
  const frame = bytes.slice(0, length);
  const crc = (frame[length - 2] ?? 0) | ((frame[length - 1] ?? 0) << 8);
  return crc16(frame.subarray(0, length - CRC_LENGTH)) === crc ? frame : null;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** Bits that one character takes on the line. */
export interface CharacterFormat {
  readonly baudRate: number;
  readonly dataBits: 7 | 8;
  readonly parity: "none" | "even" | "odd";
  readonly stopBits: 1 | 2;
}

export function characterMs({ baudRate, dataBits, parity, stopBits }: CharacterFormat): number {
  return ((1 + dataBits + (parity === "none" ? 0 : 1) + stopBits) * 1000) / baudRate;
}

/** Above this rate the silence between frames no longer shrinks (V1.02, 2.5.1.1). */
const FIXED_GAP_ABOVE = 19_200;
const FIXED_GAP_MS = 1.75;

/** Silence that ends a frame: three and a half characters. */
export function frameGapMs(format: CharacterFormat): number {
  return format.baudRate > FIXED_GAP_ABOVE ? FIXED_GAP_MS : 3.5 * characterMs(format);
}
