/** A line to a Modbus bus: bytes both ways, made anew by itself when it is lost. */
import type { BusConfig } from "./config.ts";

export interface LineEvents {
  up(): void;
  data(bytes: Uint8Array): void;
  /** Once each time it goes down, and at the first attempt that fails. */
  down(reason: string): void;
}

export interface Line {
  readonly isUp: boolean;
  /** Dropped while the line is down. */
  write(bytes: Uint8Array): void;
  /** Ends the connection; a new one is made. */
  reset(reason: string): void;
  close(): Promise<void>;
}

/** Begins to connect, at once and then for ever. Never throws: what is wrong is told by `down`. */
export type OpenLine = (events: LineEvents) => Line;

/** The line of a bus as hub.yaml has it. */
export type ModbusLines = (bus: BusConfig) => OpenLine;

/** Told once each way, however often the layers below say it. */
export function createLineState(events: LineEvents) {
  let state: "unknown" | "up" | "down" = "unknown";
  return {
    get isUp() {
      return state === "up";
    },
    up() {
      if (state === "up") return;
      state = "up";
      events.up();
    },
    down(reason: string) {
      if (state === "down") return;
      state = "down";
      events.down(reason);
    },
  };
}
