/** The parts of johnny-five 2 and firmata-io 2 that are used here and on the bench; the packages bring no types. */
declare module "firmata-io" {
  import type { EventEmitter } from "node:events";
  import type { Duplex } from "node:stream";

  export interface Firmata extends EventEmitter {
    readonly isReady: boolean;
    readonly MODES: { readonly OUTPUT: number };
    readonly pins: readonly { readonly mode: number; readonly state?: number }[];
    /** Fills `pins[pin]` from the board's answer, then calls. */
    queryPinState(pin: number, done: () => void): void;
  }
  const firmataIo: {
    readonly Firmata: new (
      transport: Duplex,
      options: { reportVersionTimeout: number; samplingInterval?: number },
    ) => Firmata;
  };
  export default firmataIo;
}

declare module "johnny-five" {
  import type { EventEmitter } from "node:events";
  import type { Firmata } from "firmata-io";

  export interface Board extends EventEmitter {
    readonly io: Firmata;
  }
  /** `close` closes the circuit: with a normally open contact it energises the coil. */
  export interface Relay {
    open(): void;
    close(): void;
  }
  export interface Button extends EventEmitter {}
  export interface Sensor extends EventEmitter {
    /** 0-1023. */
    readonly value: number;
  }
  const johnnyFive: {
    readonly Board: new (options: {
      io: Firmata;
      repl: false;
      debug: false;
      sigint: false;
      timeout: number;
    }) => Board;
    readonly Relay: new (options: { pin: number; type: "NO"; board: Board }) => Relay;
    readonly Button: new (options: { pin: number; isPullup: true; board: Board }) => Button;
    readonly Sensor: new (options: { pin: string; freq: number; board: Board }) => Sensor;
  };
  export default johnnyFive;
}
