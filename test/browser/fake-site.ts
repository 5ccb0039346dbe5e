/** A site without a world behind it: it notes what hands and switches do, and says what a test tells it to. */
import type {
  Entrance,
  EntranceEvent,
  EntranceSite,
  Fire,
  LampLevels,
  Room,
  RoomAir,
  SiteSwitch,
} from "../../hardware/demo/entrance-site.ts";

export const DARK: LampLevels = { red: false, amber: false, green: false, buzzer: false };

export interface FakeSite extends EntranceSite {
  readonly log: readonly string[];
  emit(event: EntranceEvent): void;
}

const PLACES = [
  ["Chilonzor", "Bog‘iston", "14", "1"],
  ["Chilonzor", "Bog‘iston", "14", "2"],
  ["Olmazor", "Qorasaroy", "7", "1"],
  ["Olmazor", "Qorasaroy", "9", "3"],
] as const;

const ROOM: Room = {
  id: "shop",
  name: "Bog‘iston 16, do‘kon",
  place: { district: "Chilonzor", mahalla: "Bog‘iston", building: "16" },
  sensors: [
    { id: "0200000000000201", name: "Bog‘iston 16, do‘kon: tutun", role: "smoke-sensor" },
    { id: "0200000000000202", name: "Bog‘iston 16, do‘kon: harorat", role: "heat-sensor" },
  ],
};

export function createFakeSite(): FakeSite {
  const log: string[] = [];
  let air: RoomAir = { celsius: 25, smoke: 0, kelvinPerMinute: 0, smokePerMinute: 0 };
  const lamps = new Map<string, LampLevels>();
  const listeners = new Set<(event: EntranceEvent) => void>();
  const entrances: Entrance[] = PLACES.map(([district, mahalla, building, entrance], i) => ({
    id: `020000000000010${i + 1}`,
    name: `${mahalla} ${building}-${entrance}`,
    place: { district, mahalla, building, entrance },
  }));
  const switches = new Map<SiteSwitch["name"], boolean>([
    ["centre", true],
    ["gateway:02000000000000a1", true],
    ["gateway:02000000000000a2", true],
    ...entrances.map(({ id }) => [`mains:${id}`, true] as const),
  ]);
  const emit = (event: EntranceEvent) => {
    if (event.type === "lamp") lamps.set(event.device, event.levels);
    if (event.type === "air") air = event.air;
    for (const listener of listeners) listener(event);
  };
  const hand = (device: string, down: boolean) => {
    log.push(`${down ? "press" : "release"} ${device}`);
    emit({ type: "button", device, down, atMs: Date.now() });
  };
  const burn = ({ kelvinPerMinute, smokePerMinute }: Fire) => {
    log.push(`burn ${kelvinPerMinute} ${smokePerMinute}`);
    emit({ type: "air", room: ROOM.id, air: { ...air, kelvinPerMinute, smokePerMinute }, atMs: Date.now() });
  };
  return {
    entrances,
    rooms: [ROOM],
    air: () => air,
    burn: (_room, fire) => burn(fire),
    putOut: () => burn({ kelvinPerMinute: 0, smokePerMinute: 0 }),
    log,
    emit,
    get switches() {
      return [...switches].map(([name, on]) => ({ name, on }));
    },
    lamp: (entrance) => lamps.get(entrance) ?? DARK,
    press: (entrance) => hand(entrance, true),
    release: (entrance) => hand(entrance, false),
    setSwitch(name, on) {
      switches.set(name, on);
      log.push(`${name} ${on ? "on" : "off"}`);
      emit({ type: "switch", name, on, atMs: Date.now() });
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
