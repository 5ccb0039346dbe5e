/** The page's picture of the world and its hands in it. */
import { batch, signal } from "@preact/signals";
import type { EntranceEvent, Fire, SwitchName } from "../entrance-site.ts";
import { devicesOf, type SitePicture, stepPicture } from "../site-view.ts";
import { KEPT_CHANGES, type LampChange } from "./lamp-reader.ts";

export const picture = signal<SitePicture | null>(null);
/** The last changes of each lamp, by device. */
export const lampChanges = signal<ReadonlyMap<string, readonly LampChange[]>>(new Map());
/** The device whose road is drawn: the last one pressed, or whose light came on. */
export const shown = signal<string | null>(null);
/** The world's wall clock. */
export const worldMs = signal(Date.now());
export const isLost = signal(false);

const LOST_AFTER_MS = 4500;
/** Tells the server whose hands to lift when this page goes away. */
const client = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) =>
  byte.toString(16).padStart(2, "0"),
).join("");

let offsetMs = 0;
let heardAt = performance.now();

/** Opens the stream; the browser reopens it by itself and gets the whole picture again. */
export function connect(): void {
  const source = new EventSource(`/api/stream?client=${client}`);
  listen<SitePicture>(source, "site", (site) => {
    picture.value = site;
    const at = Date.now() + offsetMs;
    const devices = devicesOf(site);
    lampChanges.value = new Map(devices.map((each) => [each.id, [{ atMs: at, ...each.levels }]]));
    const begun = devices.filter((each) => each.begunMs !== null);
    shown.value ??= begun.sort((a, b) => (b.begunMs ?? 0) - (a.begunMs ?? 0))[0]?.id ?? null;
  });
  listen<{ atMs: number }>(source, "beat", ({ atMs }) => {
    offsetMs = atMs - Date.now();
  });
  listen<EntranceEvent>(source, "world", (event) => {
    if (picture.value) picture.value = stepPicture(picture.value, event);
    if (event.type === "alarm" || (event.type === "button" && event.down)) shown.value = event.device;
    if (event.type !== "lamp") return;
    const changes = [...(lampChanges.value.get(event.device) ?? []), { atMs: event.atMs, ...event.levels }];
    lampChanges.value = new Map(lampChanges.value).set(event.device, changes.slice(-KEPT_CHANGES));
  });
  setInterval(() => {
    worldMs.value = Date.now() + offsetMs;
    isLost.value = performance.now() - heardAt > LOST_AFTER_MS;
  }, 100);
}

let lastPost: Promise<void> = Promise.resolve();

/** Puts this page's hand on a button, or takes it off. In order: a release must never overtake its press. */
export function move(entrance: string, down: boolean): void {
  lastPost = lastPost.then(() => post("/api/press", { entrance, down, client }));
}

/** Makes it burn in a room. In order, so that the slider's last place is what holds. */
export function burn(room: string, fire: Fire): void {
  lastPost = lastPost.then(() => post("/api/fire", { room, ...fire }));
}

export function putOut(room: string): void {
  lastPost = lastPost.then(() => post("/api/fire/out", { room }));
}

export function throwSwitch(name: SwitchName, on: boolean): void {
  void post("/api/switch", { name, on });
}

async function post(path: string, body: object): Promise<void> {
  try {
    await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json", "x-tugma": "entrance" },
      body: JSON.stringify(body),
      keepalive: true,
    });
  } catch {
    // the stream tells the same: with no server behind it the page covers itself
    isLost.value = true;
  }
}

function listen<T>(source: EventSource, name: string, take: (data: T) => void): void {
  source.addEventListener(name, (event: MessageEvent<string>) => {
    heardAt = performance.now();
    batch(() => {
      isLost.value = false;
      take(JSON.parse(event.data));
    });
  });
}
