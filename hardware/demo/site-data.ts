/** The demo's site: four entrances in two Tashkent mahallas, a wired stairwell, a shop with two sensors, and a
 *  gateway on a roof of each mahalla. Districts and mahallas are
 *  real, buildings and their numbers are invented. Keys are not here: they are made anew for each world. */
import type { RegionName } from "../../protocols/lorawan/regions.ts";
import type { Position } from "../virtual/path-loss.ts";
import type { Entrance, EntrancePlace, Room, Sensor } from "./entrance-site.ts";

/** The plan listed for Uzbekistan. */
export const DEMO_REGION: RegionName = "EU433";

/** All demo EUIs are locally administered (second hex digit 2), so that they can never be a real device's. */
export const DEMO_JOIN_EUI = "0200000000000001";

export interface DemoEntrance extends Entrance {
  readonly position: Position;
}

export interface DemoSensor extends Sensor {
  readonly position: Position;
  /** As it is signed into every record. */
  readonly zone: string;
}

export interface DemoRoom extends Room {
  readonly sensors: readonly DemoSensor[];
}

export interface DemoGateway {
  readonly eui: string;
  readonly position: Position;
}

/** Both hear every entrance, the nearer one better. */
export const DEMO_GATEWAYS: readonly DemoGateway[] = [
  { eui: "02000000000000a1", position: { xM: 0, yM: 0 } },
  { eui: "02000000000000a2", position: { xM: 600, yM: 200 } },
];

const BOGISTON = { district: "Chilonzor", mahalla: "Bog‘iston" } as const;
const QORASAROY = { district: "Olmazor", mahalla: "Qorasaroy" } as const;

export const DEMO_ENTRANCES: readonly DemoEntrance[] = [
  entrance("0200000000000101", { ...BOGISTON, building: "14", entrance: "1" }, { xM: 120, yM: 60 }),
  entrance("0200000000000102", { ...BOGISTON, building: "14", entrance: "2" }, { xM: 150, yM: -40 }),
  entrance("0200000000000103", { ...QORASAROY, building: "7", entrance: "1" }, { xM: 520, yM: 260 }),
  entrance("0200000000000104", { ...QORASAROY, building: "9", entrance: "3" }, { xM: 640, yM: 90 }),
];

/** Its button hangs on the hub's bus. */
export const DEMO_STAIRWELL = {
  ...entrance("0200000000000105", { ...QORASAROY, building: "9", entrance: "4" }, { xM: 650, yM: 95 }),
  carrier: "wire",
  wireAddress: 4,
} as const;

const SHOP = "Bog‘iston 16, do‘kon";

export const DEMO_SHOP: DemoRoom = {
  id: "shop",
  name: SHOP,
  place: { ...BOGISTON, building: "16" },
  sensors: [
    {
      id: "0200000000000201",
      name: `${SHOP}: tutun`,
      role: "smoke-sensor",
      zone: "do‘kon, tutun datchigi",
      position: { xM: 200, yM: 30 },
    },
    {
      id: "0200000000000202",
      name: `${SHOP}: harorat`,
      role: "heat-sensor",
      zone: "do‘kon, harorat datchigi",
      position: { xM: 205, yM: 30 },
    },
  ],
};

function entrance(id: string, place: EntrancePlace, position: Position): DemoEntrance {
  return { id, name: `${place.mahalla} ${place.building}-${place.entrance}`, place, position };
}

/** The place as it is signed into every record: what a team looks for first stands first. Uzbek, as on the house. */
export function signedPlace({ entrance, ...house }: EntrancePlace) {
  return { site: signedHouse(house), zone: `${entrance}-kirish` };
}

export function signedHouse({ district, mahalla, building }: Room["place"]): string {
  return `${mahalla} mahallasi, ${building}-uy (${district})`;
}
