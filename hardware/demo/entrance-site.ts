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
}

/** The pins as they are now, not what they mean. */
export interface LampLevels {
  readonly red: boolean;
  readonly amber: boolean;
  readonly green: boolean;
  readonly buzzer: boolean;
}

/** The road of one press, in its order. */
export const STRIP_STEPS = ["air", "gateway", "disk", "seal", "operator", "team", "closed"] as const;
export type StripStep = (typeof STRIP_STEPS)[number];

export type SwitchName = "centre" | `gateway:${string}` | `mains:${string}`;

export interface SiteSwitch {
  readonly name: SwitchName;
  readonly on: boolean;
}

export type EntranceEvent =
  | { readonly type: "lamp"; readonly entrance: string; readonly levels: LampLevels; readonly atMs: number }
  /** A hand on the button, or off it. A press begins a new strip. */
  | { readonly type: "button"; readonly entrance: string; readonly down: boolean; readonly atMs: number }
  /** A step of the road as it happened; `sinceMs` from the moment the button went down. */
  | {
      readonly type: "strip";
      readonly entrance: string;
      readonly step: StripStep;
      readonly atMs: number;
      readonly sinceMs: number;
    }
  | { readonly type: "switch"; readonly name: SwitchName; readonly on: boolean; readonly atMs: number };

export interface EntranceSite {
  readonly entrances: readonly Entrance[];
  readonly switches: readonly SiteSwitch[];
  lamp(entrance: string): LampLevels;
  press(entrance: string): void;
  release(entrance: string): void;
  setSwitch(name: SwitchName, on: boolean): void | Promise<void>;
  /** Returns a function that ends the subscription. */
  subscribe(listener: (event: EntranceEvent) => void): () => void;
}
