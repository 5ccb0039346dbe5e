/** The serial line's framing: input is thrown away before each request, and a frame counts only with the unit, function,
 *  length and CRC of the one request that is outstanding. */
import { ModbusPort } from "./port.ts";
import { EXCEPTION_LENGTH, type ModbusRequest, replyAt, replyLength, requestOf } from "./rtu-frame.ts";

/** Bytes kept while an answer is looked for; the longest frame has 256. */
const MAX_BUFFER_BYTES = 512;

interface Outstanding {
  readonly request: ModbusRequest;
  readonly sent: Uint8Array;
}

export class RtuPort extends ModbusPort {
  readonly #send: (frame: Uint8Array) => void;
  #outstanding: Outstanding | null = null;
  #buffer: Uint8Array = new Uint8Array(0);

  /** `send`: to the line. */
  constructor(send: (frame: Uint8Array) => void) {
    super();
    this.#send = send;
  }

  override write(frame: Uint8Array): void {
    this.abandon();
    this.#outstanding = { request: requestOf(frame), sent: Uint8Array.from(frame) };
    this.#send(frame);
  }

  override receive(bytes: Uint8Array): void {
    if (this.#outstanding === null) {
      this.discardedBytes += bytes.length;
      return;
    }
    const joined = Buffer.concat([this.#buffer, bytes]);
    this.#buffer = joined.subarray(Math.max(0, joined.length - MAX_BUFFER_BYTES));
    this.discardedBytes += joined.length - this.#buffer.length;
    this.#look(this.#outstanding);
  }

  override abandon(): void {
    this.#outstanding = null;
    this.discardedBytes += this.#buffer.length;
    this.#buffer = new Uint8Array(0);
  }

  /** Every place is looked at until it has all the bytes that an answer could have, and then never again: linear in what
   *  comes, whatever it is. */
  #look({ request, sent }: Outstanding): void {
    const whole = Math.max(EXCEPTION_LENGTH, replyLength(request));
    for (let at = 0; at < this.#buffer.length; at++) {
      const frame = replyAt(this.#buffer.subarray(at, at + whole), request, sent);
      if (frame !== null) {
        this.discardedBytes += this.#buffer.length - frame.length;
        this.#buffer = new Uint8Array(0);
        this.#outstanding = null;
        this.emit("data", Buffer.from(frame));
        return;
      }
    }
    const settled = Math.max(0, this.#buffer.length - whole + 1);
    this.discardedBytes += settled;
    this.#buffer = this.#buffer.subarray(settled);
  }
}
