/** The world as a page needs it that opens now: entrances, lamps, switches, and the strip of the last press of each. */
import type {
  Entrance,
  EntranceEvent,
  EntranceSite,
  LampLevels,
  SiteSwitch,
  StripStep,
} from "./entrance-site.ts";

export interface Mark {
  readonly step: StripStep;
  readonly sinceMs: number;
}

export interface EntranceView extends Entrance {
  readonly levels: LampLevels;
  readonly isDown: boolean;
  /** Wall time of the last press; null: none since the start. */
  readonly pressedMs: number | null;
  readonly strip: readonly Mark[];
}

export interface SitePicture {
  readonly entrances: readonly EntranceView[];
  readonly switches: readonly SiteSwitch[];
}

export function createSiteView(site: EntranceSite): {
  picture(): SitePicture;
  follow(event: EntranceEvent): void;
} {
  let picture: SitePicture = {
    entrances: site.entrances.map((entrance) => ({
      ...entrance,
      levels: site.lamp(entrance.id),
      isDown: false,
      pressedMs: null,
      strip: [],
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

/** The picture after the event. Pure; the page uses the same step. */
export function stepPicture(picture: SitePicture, event: EntranceEvent): SitePicture {
  if (event.type === "switch") {
    const switches = picture.switches.map((each) =>
      each.name === event.name ? { ...each, on: event.on } : each,
    );
    return { ...picture, switches };
  }
  const entrances = picture.entrances.map((each) =>
    each.id === event.entrance ? stepEntrance(each, event) : each,
  );
  return { ...picture, entrances };
}

function stepEntrance(view: EntranceView, event: Exclude<EntranceEvent, { type: "switch" }>): EntranceView {
  if (event.type === "lamp") return { ...view, levels: event.levels };
  if (event.type === "strip") {
    // repeats of a frame light nothing twice: the first time is the true one
    if (view.strip.some((mark) => mark.step === event.step)) return view;
    return { ...view, strip: [...view.strip, { step: event.step, sinceMs: event.sinceMs }] };
  }
  if (!event.down) return { ...view, isDown: false };
  return { ...view, isDown: true, pressedMs: event.atMs, strip: [] };
}
