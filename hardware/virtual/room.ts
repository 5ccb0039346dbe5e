/** A room in which it may burn: temperature and smoke as pure functions of time, by straight lines between points. So what
 *  a sensor that lags behind them feels has an exact solution, whenever and in whatever order it is asked. */

/** The air at one moment. */
export interface Air {
  readonly celsius: number;
  /** Obscuration in %/m. */
  readonly smoke: number;
}

export interface RoomPoint extends Air {
  readonly atMs: number;
}

/** Points by rising time, at least one. Before the first and after the last the air stays as it is. */
export type Room = readonly [RoomPoint, ...RoomPoint[]];

/** What makes the room change from a moment on. */
export interface Fire {
  readonly kelvinPerMinute: number;
  /** Obscuration that each minute adds, %/m. */
  readonly smokePerMinute?: number;
  /** Where it stops: as hot, or as cold, as this will get; 120 °C, or the room's own temperature on the way down. */
  readonly untilCelsius?: number;
  readonly untilSmoke?: number;
}

export const CALM: Air = { celsius: 25, smoke: 0 };

const HOTTEST_CELSIUS = 120;
const THICKEST = 30;
const MINUTE_MS = 60_000;

/** A room in which nothing happens. */
export function createRoom(air: Air = CALM): Room {
  return [{ ...air, atMs: 0 }];
}

/** The air at `atMs`. */
export function airAt(room: Room, atMs: number): Air {
  const next = room.findIndex((point) => point.atMs > atMs);
  const after = room[next];
  const before = (next < 0 ? room.at(-1) : room[next - 1]) ?? room[0];
  if (after === undefined) return { celsius: before.celsius, smoke: before.smoke };
  if (next === 0) return { celsius: after.celsius, smoke: after.smoke };
  const share = (atMs - before.atMs) / (after.atMs - before.atMs);
  return {
    celsius: before.celsius + (after.celsius - before.celsius) * share,
    smoke: before.smoke + (after.smoke - before.smoke) * share,
  };
}

/** Minutes until a value that changes by `perMinute` has come from `from` to `until`; 0 when it is there or never comes. */
function minutesTo(from: number, until: number, perMinute: number): number {
  return perMinute === 0 ? 0 : Math.max(0, (until - from) / perMinute);
}

/** From `nowMs` on the room burns like this, or cools down; what was to come is forgotten. */
export function steerRoom(room: Room, nowMs: number, fire: Fire): Room {
  const now = airAt(room, nowMs);
  const { kelvinPerMinute, smokePerMinute = 0 } = fire;
  const hottest = fire.untilCelsius ?? (kelvinPerMinute > 0 ? HOTTEST_CELSIUS : CALM.celsius);
  const thickest = fire.untilSmoke ?? (smokePerMinute > 0 ? THICKEST : 0);
  const hot = minutesTo(now.celsius, hottest, kelvinPerMinute);
  const thick = minutesTo(now.smoke, thickest, smokePerMinute);
  const at = (minutes: number): RoomPoint => ({
    atMs: nowMs + minutes * MINUTE_MS,
    celsius: now.celsius + kelvinPerMinute * Math.min(minutes, hot),
    smoke: now.smoke + smokePerMinute * Math.min(minutes, thick),
  });
  const turns = [...new Set([hot, thick])].filter((minutes) => minutes > 0).sort((a, b) => a - b);
  const past = room.filter((point) => point.atMs < nowMs);
  const [first = at(0), ...rest] = [...past, at(0), ...turns.map(at)];
  return [first, ...rest];
}

/** What a body in the room feels that follows the air with a time constant: for a thermistor the heat it has to take
 *  up, for a chamber the air that has to drift in. It has been in the room's first air for ever. */
export function feltAt(room: Room, quantity: keyof Air, constantMs: number, atMs: number): number {
  let felt = room[0][quantity];
  if (constantMs === 0) return airAt(room, atMs)[quantity];
  for (const [i, from] of room.entries()) {
    if (from.atMs >= atMs) break;
    const to = room[i + 1];
    const endMs = Math.min(to?.atMs ?? atMs, atMs);
    const slope = to === undefined ? 0 : (to[quantity] - from[quantity]) / (to.atMs - from.atMs);
    const passedMs = endMs - from.atMs;
    // the solution of y' = (a + b·t − y) / τ
    const lag = slope * constantMs;
    felt =
      from[quantity] +
      slope * passedMs -
      lag +
      (felt - from[quantity] + lag) * Math.exp(-passedMs / constantMs);
  }
  return felt;
}
