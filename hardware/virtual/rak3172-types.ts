/** What a virtual RAK3172 takes and tells: the surface of rak3172.ts. */
import type { RegionName } from "../../protocols/lorawan/regions.ts";
import type { Air } from "./air-types.ts";
import type { Clock } from "./clock.ts";
import type { LorawanVersion } from "./device-session.ts";
import type { Rak3172Flash } from "./rak3172-settings.ts";
import type { Random } from "./random.ts";

/** What can be wrong with the module or its wires. */
export interface ModemFaults {
  /** It hears nothing and says nothing. */
  readonly mute?: boolean;
  /** Noise bytes before every line it says. */
  readonly garbageBytes?: number;
  /** Added to every answer. */
  readonly slowMs?: number;
  /** The next line that begins so resets it instead of being answered; once. */
  readonly resetOn?: string;
}

export interface Rak3172Options {
  readonly clock: Clock;
  readonly air: Air;
  readonly random: Random;
  /** Default: as it left the factory. */
  readonly flash?: Rak3172Flash;
  readonly onFlash?: (flash: Rak3172Flash) => void;
  readonly version?: LorawanVersion;
  /** Which region each AT+BAND number means; a plan that RUI3 does not have needs a build of its own. */
  readonly bands?: Readonly<Record<number, RegionName>>;
  /** 0 = no pacing. */
  readonly baud?: number;
  readonly fragment?: (length: number) => readonly number[];
}

export interface Rak3172 {
  /** Bytes from the host. */
  write(bytes: Uint8Array): void;
  /** Bytes to the host. */
  onData(listener: (bytes: Uint8Array) => void): void;
  powerOn(): void;
  powerOff(): void;
  readonly powered: boolean;
  readonly joined: boolean;
  readonly flash: Rak3172Flash;
  /** Exchange it to break or mend the module. */
  faults: ModemFaults;
}
