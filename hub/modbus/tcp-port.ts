/** Modbus TCP framing (MODBUS Messaging on TCP/IP V1.0b, 3.1.3): transaction (2) · protocol 0 (2) · length (2) · unit ·
 *  function · data. The transaction number goes up with each request, and only an answer with the same number, unit and
 *  function is one. */
import { ModbusPort } from "./port.ts";
import { crc16, isWrite, replyAt, requestOf } from "./rtu-frame.ts";

const HEADER = 6;
/** Unit and a PDU of at most 253 bytes. */
const MAX_LENGTH = 254;
const MIN_LENGTH = 3;

export class TcpPort extends ModbusPort {
  readonly #send: (frame: Uint8Array) => void;
  readonly #outOfStep: () => void;
  #transaction = 0;
  #sent: Uint8Array | null = null;
  #buffer: Uint8Array = new Uint8Array(0);

  /** `outOfStep`: what comes is no Modbus TCP, and a stream cannot be found again; the line must be made anew. */
  constructor(send: (frame: Uint8Array) => void, outOfStep: () => void) {
    super();
    this.#send = send;
    this.#outOfStep = outOfStep;
  }

  override write(frame: Uint8Array): void {
    this.#transaction = (this.#transaction + 1) & 0xffff;
    this.#sent = Uint8Array.from(frame);
    const bytes = Buffer.alloc(HEADER + frame.length - 2);
    bytes.writeUInt16BE(this.#transaction, 0);
    bytes.writeUInt16BE(frame.length - 2, 4);
    bytes.set(frame.subarray(0, frame.length - 2), HEADER);
    this.#send(bytes);
  }

  override receive(bytes: Uint8Array): void {
    let rest = Buffer.concat([this.#buffer, bytes]);
    while (rest.length >= HEADER) {
      const length = rest.readUInt16BE(4);
      if (rest.readUInt16BE(2) !== 0 || length < MIN_LENGTH || length > MAX_LENGTH) {
        this.discardedBytes += rest.length;
        this.reset();
        this.#outOfStep();
        return;
      }
      if (rest.length < HEADER + length) break;
      this.#take(rest.readUInt16BE(0), rest.subarray(HEADER, HEADER + length));
      rest = rest.subarray(HEADER + length);
    }
    this.#buffer = Uint8Array.from(rest);
  }

  override abandon(): void {
    this.#sent = null;
  }

  /** The line is a new one. */
  reset(): void {
    this.#sent = null;
    this.#buffer = new Uint8Array(0);
  }

  #take(transaction: number, pdu: Uint8Array): void {
    const sent = this.#sent;
    const frame = withCrc(pdu);
    const isAnswer =
      sent !== null && transaction === this.#transaction && isWhole(replyOf(frame, sent), frame);
    if (!isAnswer) {
      this.discardedBytes += HEADER + pdu.length;
      return;
    }
    this.#sent = null;
    this.emit("data", frame);
  }
}

/** TCP has no echo to be told apart: only the frame's form is checked. */
function replyOf(frame: Uint8Array, sent: Uint8Array): Uint8Array | null {
  const request = requestOf(sent);
  return replyAt(frame, request, isWrite(request.functionCode) ? sent : new Uint8Array(0));
}

function isWhole(reply: Uint8Array | null, frame: Uint8Array): boolean {
  return reply !== null && reply.length === frame.length;
}

/** As modbus-serial wants to see it. */
function withCrc(pdu: Uint8Array): Buffer {
  const frame = Buffer.alloc(pdu.length + 2);
  frame.set(pdu);
  frame.writeUInt16LE(crc16(pdu), pdu.length);
  return frame;
}
