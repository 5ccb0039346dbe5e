/** What a virtual RN2483 takes and tells: the surface of rn2483.ts. */
import type { Air } from "./air-types.ts";
import type { Clock } from "./clock.ts";
import type { DeviceMemory } from "./device-session.ts";
import type { ModemFaults } from "./rak3172-types.ts";
import type { Random } from "./random.ts";

export interface Rn2483Options {
  readonly clock: Clock;
  readonly air: Air;
  readonly random: Random;
  /** What a device of LoRaWAN 1.0.3 and before keeps; default: new. */
  readonly memory?: DeviceMemory;
  readonly onMemory?: (memory: DeviceMemory) => void;
  /** 0 = no pacing. Default 57 600. */
  readonly baud?: number;
  readonly fragment?: (length: number) => readonly number[];
}

export interface Rn2483 {
  /** Bytes from the host. */
  write(bytes: Uint8Array): void;
  /** Bytes to the host. */
  onData(listener: (bytes: Uint8Array) => void): void;
  powerOn(): void;
  powerOff(): void;
  readonly powered: boolean;
  readonly joined: boolean;
  readonly asleep: boolean;
  /** Exchange it to break or mend the module. */
  faults: ModemFaults;
}
