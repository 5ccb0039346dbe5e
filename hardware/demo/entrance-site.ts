/** What the entrance page shows and moves: the demo world behind one small interface, so that the page and its server
 *  know nothing of boards, hubs or centres. */

/** As a team finds it; building and entrance are numbers on signs: "14", "2". */
export interface EntrancePlace {
  /** tuman */
  readonly district: string;
  readonly mahalla: string;
  readonly building: string;
  readonly entrance: string;
}

export interface Entrance {
  /** Short and stable; the DevEUI will do. */
  readonly id: string;
  readonly name: string;
  readonly place: EntrancePlace;
  /** What its button speaks through. Default: the radio. */
  readonly carrier?: "radio" | "wire";
}

/** What a sensor is built for, as its firmware's role. */
export type SensorRole = "smoke-sensor" | "heat-sensor";

export interface Sensor {
  /** The DevEUI. */
  readonly id: string;
  readonly name: string;
  readonly role: SensorRole;
}

/** A room that may burn, with the sensors on its ceiling. */
export interface Room {
  readonly id: string;
  readonly name: string;
  readonly place: Omit<EntrancePlace, "entrance">;
  readonly sensors: readonly Sensor[];
}

/** What a hand makes the air of a room do. */
export interface Fire {
  readonly kelvinPerMinute: number;
  /** Obscuration that each minute adds, %/m. */
  readonly smokePerMinute: number;
}

/** As far as the sliders go: the fastest rise that EN 54-5 measures with, and smoke that nobody sees a hand in. */
export const FIERCEST: Fire = { kelvinPerMinute: 30, smokePerMinute: 12 };

/** The air of a room now, and the fire that burns in it. */
export interface RoomAir extends Fire {
  readonly celsius: number;
  /** Obscuration, %/m. */
  readonly smoke: number;
}

/** The gravest of what a sensor has said and not taken back, as the hub has stored it. */
export type SensorWord = "quiet" | "fault" | "preAlarm" | "alarm";

/** The pins as they are now, not what they mean. */
export interface LampLevels {
  readonly red: boolean;
  readonly amber: boolean;
  readonly green: boolean;
  readonly buzzer: boolean;
}

/** The road of one press or alarm, in its order. */
export const STRIP_STEPS = ["air", "gateway", "disk", "seal", "operator", "team", "closed"] as const;
export type StripStep = (typeof STRIP_STEPS)[number];

export type SwitchName = "centre" | `gateway:${string}` | `mains:${string}`;

export interface SiteSwitch {
  readonly name: SwitchName;
  readonly on: boolean;
}

/** `device`: an entrance or a sensor, by its id. */
export type EntranceEvent =
  | { readonly type: "lamp"; readonly device: string; readonly levels: LampLevels; readonly atMs: number }
  /** A hand on the button, or off it. A press begins a new strip. */
  | { readonly type: "button"; readonly device: string; readonly down: boolean; readonly atMs: number }
  /** A sensor's red light has come on. It begins a new strip. */
  | { readonly type: "alarm"; readonly device: string; readonly atMs: number }
  /** A step of the road as it happened; `sinceMs` from the moment that began it. */
  | {
      readonly type: "strip";
      readonly device: string;
      readonly step: StripStep;
      readonly atMs: number;
      readonly sinceMs: number;
    }
  /** What the hub has stored of a sensor is another word than before. */
  | { readonly type: "sensor"; readonly device: string; readonly word: SensorWord; readonly atMs: number }
  | { readonly type: "air"; readonly room: string; readonly air: RoomAir; readonly atMs: number }
  | { readonly type: "switch"; readonly name: SwitchName; readonly on: boolean; readonly atMs: number };

export interface EntranceSite {
  readonly entrances: readonly Entrance[];
  readonly rooms: readonly Room[];
  readonly switches: readonly SiteSwitch[];
  /** Of an entrance or a sensor. */
  lamp(device: string): LampLevels;
  air(room: string): RoomAir;
  burn(room: string, fire: Fire): void;
  putOut(room: string): void;
  press(entrance: string): void;
  release(entrance: string): void;
  setSwitch(name: SwitchName, on: boolean): void | Promise<void>;
  /** Returns a function that ends the subscription. */
  subscribe(listener: (event: EntranceEvent) => void): () => void;
}
