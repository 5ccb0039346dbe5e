/** What a virtual site is made of and what it tells: the surface of site.ts. */
import type { RegionName } from "../../protocols/lorawan/regions.ts";
import type { Air, Miss, Transmission } from "./air-types.ts";
import type { PinLevel } from "./board-types.ts";
import type { BusPort } from "./bus.ts";
import type { Clock } from "./clock.ts";
import type { Datagrams, Endpoint } from "./datagram.ts";
import type { Gateway, GatewayEvent } from "./gateway.ts";
import type { PathLoss, Position } from "./path-loss.ts";
import type { Rak3172Flash } from "./rak3172-settings.ts";
import type { Rak3172 } from "./rak3172-types.ts";
import type { Random } from "./random.ts";

/** The host side of the modem's serial port. */
export interface Serial {
  write(bytes: Uint8Array): void;
  onData(listener: (bytes: Uint8Array) => void): void;
}

/** A board as the site needs it. `Lamp` is whatever the board shows. */
export interface Board<Lamp> {
  press(): void;
  release(): void;
  lamp(): Lamp;
  onLamp(listener: (lamp: Lamp) => void): void;
  powerOn(): void;
  powerOff(): void;
}

export type BoardFactory<Lamp, Storage, B extends Board<Lamp> = Board<Lamp>> = (options: {
  readonly bundle: string;
  readonly identity: Readonly<Record<string, unknown>>;
  readonly clock: Clock;
  readonly random: Random;
  readonly serial: Serial;
  readonly storage?: Storage;
  readonly pins?: Readonly<Record<string, PinLevel>>;
}) => B;

/** What feeds a part; it runs while one of those it has is there. */
export interface Supply {
  readonly mains: boolean;
  readonly battery: boolean;
}

export interface EntranceOptions<Storage> {
  readonly devEui: string;
  readonly joinEui: string;
  readonly appKey: string;
  /** Default: an entrance button. */
  readonly role?: string;
  /** The role's firmware; default: the site's. */
  readonly bundle?: string;
  /** A place on a bus, for a board that has no modem but a transceiver. */
  readonly wire?: BusPort;
  /** Levels on the board's inputs from the start, by their name in the profile. */
  readonly pins?: Readonly<Record<string, PinLevel>>;
  /** Further fields of the board's identity file: profile, heartbeatS, mode … */
  readonly identity?: Readonly<Record<string, unknown>>;
  readonly position?: Position;
  readonly storage?: Storage;
  /** What the modem kept from the last time. */
  readonly modemFlash?: Rak3172Flash;
  /** Default: a battery. */
  readonly supply?: Supply;
}

export interface SiteGatewayOptions {
  readonly eui: string;
  readonly position?: Position;
  readonly tmstStart?: number;
  /** Default: the mains. */
  readonly supply?: Supply;
}

export interface SiteOptions<Lamp, Storage, B extends Board<Lamp> = Board<Lamp>> {
  readonly clock: Clock;
  readonly region: RegionName;
  readonly random: Random;
  readonly datagrams: Datagrams;
  readonly hubAddress: Endpoint;
  readonly gateways: readonly SiteGatewayOptions[];
  readonly entrances: readonly EntranceOptions<Storage>[];
  /** The firmware, as flashed on every board that has none of its own. */
  readonly bundle: string;
  readonly createBoard: BoardFactory<Lamp, Storage, B>;
  /** Default: by the positions, in a street. */
  readonly pathLoss?: PathLoss;
  readonly fadingDb?: number;
  /** Whenever a modem writes its flash: keep it, or a restarted world repeats its DevNonce. */
  readonly onModemFlash?: (devEui: string, flash: Rak3172Flash) => void;
}

export type SiteEvent<Lamp> = { readonly atMs: number } & (
  | { type: "button"; devEui: string; pressed: boolean }
  | { type: "lamp"; devEui: string; lamp: Lamp }
  /** The first symbol of a frame leaves an antenna. */
  | { type: "frame"; transmission: Transmission }
  /** The first bit of a frame with a PHYPayload leaves a board onto its bus. */
  | { type: "wireFrame"; devEui: string; phyPayload: Uint8Array }
  /** A station was tuned to the frame and did not get it. */
  | { type: "missed"; station: string; transmission: Transmission; reason: Miss }
  | { type: "power"; part: string; on: boolean }
  | { type: "gateway"; gateway: string; event: GatewayEvent }
);

export interface Site<Lamp, B extends Board<Lamp> = Board<Lamp>> {
  readonly air: Air;
  readonly gateways: ReadonlyMap<string, Gateway>;
  readonly boards: ReadonlyMap<string, B>;
  /** Of the boards on the radio. */
  readonly modems: ReadonlyMap<string, Rak3172>;
  lamp(devEui: string): Lamp;
  onEvent(listener: (event: SiteEvent<Lamp>) => void): void;
  /** Switches everything on that has a supply. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Holds the button down for `ms`; settles when it is released. */
  press(devEui: string, ms: number): Promise<void>;
  hold(devEui: string): void;
  release(devEui: string): void;
  /** The mains of the whole site. */
  setMains(on: boolean): Promise<void>;
  /** The battery of one entrance or gateway. */
  setBattery(part: string, fitted: boolean): Promise<void>;
  /** The switch of one entrance or gateway. */
  setSwitch(part: string, on: boolean): Promise<void>;
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** Tells an event; its time is added on the way. */
export type Emit<Lamp> = (event: DistributiveOmit<SiteEvent<Lamp>, "atMs">) => void;
