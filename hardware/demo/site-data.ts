/** The demo's site: four entrances in two Tashkent mahallas, and a gateway on a roof of each. Districts and mahallas are
 *  real, buildings and their numbers are invented. Keys are not here: they are made anew for each world. */
import type { RegionName } from "../../protocols/lorawan/regions.ts";
import type { Position } from "../virtual/path-loss.ts";
import type { Entrance, EntrancePlace } from "./entrance-site.ts";

/** The plan listed for Uzbekistan. */
export const DEMO_REGION: RegionName = "EU433";

/** All demo EUIs are locally administered (second hex digit 2), so that they can never be a real device's. */
export const DEMO_JOIN_EUI = "0200000000000001";

export interface DemoEntrance extends Entrance {
  readonly position: Position;
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

function entrance(id: string, place: EntrancePlace, position: Position): DemoEntrance {
  return { id, name: `${place.mahalla} ${place.building}-${place.entrance}`, place, position };
}

/** The place as it is signed into every record: what a team looks for first stands first. Uzbek, as on the house. */
export function signedPlace({ district, mahalla, building, entrance }: EntrancePlace) {
  return { site: `${mahalla} mahallasi, ${building}-uy (${district})`, zone: `${entrance}-kirish` };
}
