/** The world as a page needs it that opens now: entrances, rooms, lamps, switches, and the strip of the last press or alarm
 *  of each device. */
import type {
  Entrance,
  EntranceEvent,
  EntranceSite,
  LampLevels,
  Room,
  RoomAir,
  Sensor,
  SensorWord,
  SiteSwitch,
  StripStep,
} from "./entrance-site.ts";

export interface Mark {
  readonly step: StripStep;
  readonly sinceMs: number;
}

export interface DeviceView {
  readonly id: string;
  readonly name: string;
  readonly levels: LampLevels;
  /** Wall time of the last press or alarm; null: none since the start. */
  readonly begunMs: number | null;
  readonly strip: readonly Mark[];
}

export interface EntranceView extends Entrance, DeviceView {
  readonly isDown: boolean;
}

export interface SensorView extends Sensor, DeviceView {
  readonly word: SensorWord;
}

export interface RoomView extends Room {
  readonly air: RoomAir;
  readonly sensors: readonly SensorView[];
}

export interface SitePicture {
  readonly entrances: readonly EntranceView[];
  readonly rooms: readonly RoomView[];
  readonly switches: readonly SiteSwitch[];
}

export function createSiteView(site: EntranceSite): {
  picture(): SitePicture;
  follow(event: EntranceEvent): void;
} {
  const quiet = (id: string) => ({ levels: site.lamp(id), begunMs: null, strip: [] });
  let picture: SitePicture = {
    entrances: site.entrances.map((each) => ({ ...each, ...quiet(each.id), isDown: false })),
    rooms: site.rooms.map((room) => ({
      ...room,
      air: site.air(room.id),
      sensors: room.sensors.map((each) => ({ ...each, ...quiet(each.id), word: "quiet" })),
    })),
    switches: [...site.switches],
  };
  return {
    picture: () => picture,
    follow(event) {
      picture = stepPicture(picture, event);
    },
  };
}

/** Every device of the picture. */
export function devicesOf({ entrances, rooms }: SitePicture): DeviceView[] {
  return [...entrances, ...rooms.flatMap((room) => room.sensors)];
}

/** The picture after the event. Pure; the page uses the same step. */
export function stepPicture(picture: SitePicture, event: EntranceEvent): SitePicture {
  if (event.type === "switch") {
    const switches = picture.switches.map((each) =>
      each.name === event.name ? { ...each, on: event.on } : each,
    );
    return { ...picture, switches };
  }
  if (event.type === "air") {
    const rooms = picture.rooms.map((room) => (room.id === event.room ? { ...room, air: event.air } : room));
    return { ...picture, rooms };
  }
  const step = <T extends DeviceView>(each: T) => (each.id === event.device ? stepDevice(each, event) : each);
  return {
    ...picture,
    entrances: picture.entrances.map(step),
    rooms: picture.rooms.map((room) => ({ ...room, sensors: room.sensors.map(step) })),
  };
}

type DeviceEvent = Exclude<EntranceEvent, { type: "switch" } | { type: "air" }>;

function stepDevice<T extends DeviceView>(view: T, event: DeviceEvent): T {
  if (event.type === "lamp") return { ...view, levels: event.levels };
  if (event.type === "sensor") return { ...view, word: event.word };
  if (event.type === "alarm") return { ...view, begunMs: event.atMs, strip: [] };
  if (event.type === "strip") {
    // repeats of a frame light nothing twice: the first time is the true one
    if (view.strip.some((mark) => mark.step === event.step)) return view;
    return { ...view, strip: [...view.strip, { step: event.step, sinceMs: event.sinceMs }] };
  }
  if (!event.down) return { ...view, isDown: false };
  return { ...view, isDown: true, begunMs: event.atMs, strip: [] };
}
