/** What modbus-serial talks to, in our place of its own ports. The library matches an answer to a request by nothing but
 *  arrival: after one late answer its RTU port gives every later read the answer of the read before. So here it is given
 *  bytes only when they can be nothing else than the answer to the one request that is outstanding. */
import { EventEmitter } from "node:events";

export abstract class ModbusPort extends EventEmitter {
  /** modbus-serial refuses to write while this is false. */
  isOpen = true;
  /** Bytes that answered nothing. */
  discardedBytes = 0;

  /** By modbus-serial: a request frame of the serial line, with its CRC. */
  abstract write(frame: Uint8Array): void;
  /** Bytes from the line. */
  abstract receive(bytes: Uint8Array): void;
  /** Nobody waits any more: whatever comes answers nothing. */
  abstract abandon(): void;

  open(done: () => void): void {
    done();
  }

  close(done?: () => void): void {
    done?.();
  }
}
