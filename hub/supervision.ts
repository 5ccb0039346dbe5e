/** Supervision: silence is an event. Devices, gateways, buses and paths each have a promised interval; what breaks it is raised
 *  once when lost and once when back. Pure but for the state it keeps: time comes in with each call.
 *
 *  Bounds (EN 50136-1 reporting times, EN 50131-5-3 supervision): a device is silent after three intervals and a tenth;
 *  a gateway is lost after 30 s (its keepalive is 5 or 10 s); a path is down after 20 s without its centre. */
import type { Trouble } from "./trouble.ts";
import { createWireWatch, type WireWatch } from "./wire-watch.ts";

export interface Supervision {
  /** A device was heard in an authenticated frame; `wire` = bus/address, or null where it came by no wire. */
  heard(devEui: string, nowMs: number, wire?: string | null): void;
  /** The devices to watch, each with its heartbeat interval in seconds. Removed ones are forgotten. */
  watchDevices(devices: readonly { devEui: string; intervalS: number }[], nowMs: number): void;
  /** Gateways that must be there; any other that was ever seen is watched too. */
  watchGateways(gateways: readonly string[], nowMs: number): void;
  gatewaySeen(gateway: string, nowMs: number): void;
  /** A path to a centre: connected and answering, or not. */
  path(name: string, up: boolean, nowMs: number): void;
  /** A wire bus can be used, or cannot. */
  bus(name: string, isUp: boolean, nowMs: number): void;
  /** Whoever is at this address of a bus answers, or does not. */
  wire(gateway: string, isUp: boolean, reason: string | null): void;
  /** What has changed since the last call. Call it about every second. */
  tick(nowMs: number): Trouble[];
  /** For the status page. */
  view(nowMs: number): SupervisionView;
}

export interface SupervisionView {
  readonly devices: Readonly<Record<string, { heardAgoMs: number | null; silent: boolean }>>;
  readonly gateways: Readonly<Record<string, { seenAgoMs: number | null; lost: boolean }>>;
  readonly buses: ReturnType<WireWatch["view"]>;
  readonly paths: Readonly<Record<string, { up: boolean; forMs: number; reported: boolean }>>;
}

const MISSED_INTERVALS = 3.1;
const GATEWAY_LOST_MS = 30_000;
const PATH_DOWN_MS = 20_000;
/** So many devices and at least half of them falling silent within this time look like jamming or a mass power cut. */
const MASS_LOSS_MS = 120_000;
const MASS_LOSS_DEVICES = 3;

interface Watched {
  intervalMs: number;
  /** The start of watching counts as hearing, so that a restarted hub gives everybody a whole term. */
  sinceMs: number;
  heardMs: number | null;
  silent: boolean;
}

interface Path {
  up: boolean;
  sinceMs: number;
  reported: boolean;
}

/** True when a device or gateway has been quiet for longer than its term. Exported for its property tests. */
export function isOverdue(sinceMs: number, heardMs: number | null, termMs: number, nowMs: number): boolean {
  return nowMs - Math.max(sinceMs, heardMs ?? sinceMs) > termMs;
}

export function createSupervision(): Supervision {
  const devices = new Map<string, Watched>();
  const gateways = new Map<string, Watched>();
  const paths = new Map<string, Path>();
  const wires = createWireWatch();
  let silences: number[] = [];
  let massReportedMs = Number.NEGATIVE_INFINITY;

  function sweep(
    watched: Map<string, Watched>,
    nowMs: number,
    lost: (id: string) => void,
    back: (id: string) => void,
    isGone = (_id: string) => false,
  ) {
    for (const [id, one] of watched) {
      const overdue = isGone(id) || isOverdue(one.sinceMs, one.heardMs, one.intervalMs, nowMs);
      if (overdue === one.silent) continue;
      one.silent = overdue;
      (overdue ? lost : back)(id);
    }
  }

  function massLoss(nowMs: number): Trouble[] {
    silences = silences.filter((at) => nowMs - at <= MASS_LOSS_MS);
    const many = silences.length >= MASS_LOSS_DEVICES && silences.length * 2 >= devices.size;
    if (!many || nowMs - massReportedMs < MASS_LOSS_MS) return [];
    massReportedMs = nowMs;
    return [
      { kind: "jammingSuspected", device: null, note: `${silences.length} of ${devices.size} devices` },
    ];
  }

  function sweepPaths(nowMs: number): Trouble[] {
    const troubles: Trouble[] = [];
    for (const [name, path] of paths) {
      if (!path.up && !path.reported && nowMs - path.sinceMs > PATH_DOWN_MS) {
        path.reported = true;
        troubles.push({ kind: "pathDown", device: null, note: name });
      } else if (path.up && path.reported) {
        path.reported = false;
        troubles.push({ kind: "pathUp", device: null, note: name });
      }
    }
    return troubles;
  }

  const watch = (watched: Map<string, Watched>, id: string, intervalMs: number, nowMs: number) => {
    const known = watched.get(id);
    if (known) known.intervalMs = intervalMs;
    else watched.set(id, { intervalMs, sinceMs: nowMs, heardMs: null, silent: false });
  };

  return {
    heard(devEui, nowMs, wire = null) {
      const device = devices.get(devEui);
      if (device === undefined) return;
      device.heardMs = nowMs;
      wires.heard(devEui, wire);
    },
    bus: wires.bus,
    wire: wires.wire,
    watchDevices(list, nowMs) {
      const kept = new Set(list.map((d) => d.devEui));
      for (const devEui of devices.keys()) {
        if (kept.has(devEui)) continue;
        devices.delete(devEui);
        wires.forget(devEui);
      }
      for (const { devEui, intervalS } of list)
        watch(devices, devEui, intervalS * 1000 * MISSED_INTERVALS, nowMs);
    },
    watchGateways(list, nowMs) {
      for (const gateway of list) watch(gateways, gateway, GATEWAY_LOST_MS, nowMs);
    },
    gatewaySeen(gateway, nowMs) {
      watch(gateways, gateway, GATEWAY_LOST_MS, nowMs);
      const known = gateways.get(gateway);
      if (known) known.heardMs = nowMs;
    },
    path(name, up, nowMs) {
      const path = paths.get(name);
      if (path === undefined) paths.set(name, { up, sinceMs: nowMs, reported: false });
      else if (path.up !== up) Object.assign(path, { up, sinceMs: nowMs });
    },
    tick(nowMs) {
      const troubles: Trouble[] = [];
      sweep(
        devices,
        nowMs,
        (device) => {
          const note = wires.lossOf(device);
          // a cut wire is no jamming
          if (note === null) silences.push(nowMs);
          troubles.push({ kind: "deviceSilent", device, note });
        },
        (device) => troubles.push({ kind: "deviceBack", device, note: null }),
        (device) => wires.lossOf(device) !== null,
      );
      sweep(
        gateways,
        nowMs,
        (note) => troubles.push({ kind: "gatewayLost", device: null, note }),
        (note) => troubles.push({ kind: "gatewayBack", device: null, note }),
      );
      return [...troubles, ...wires.sweep(nowMs), ...massLoss(nowMs), ...sweepPaths(nowMs)];
    },
    view(nowMs) {
      const ago = (at: number | null) => (at === null ? null : nowMs - at);
      return {
        devices: Object.fromEntries(
          [...devices].map(([id, d]) => [id, { heardAgoMs: ago(d.heardMs), silent: d.silent }]),
        ),
        gateways: Object.fromEntries(
          [...gateways].map(([id, g]) => [id, { seenAgoMs: ago(g.heardMs), lost: g.silent }]),
        ),
        buses: wires.view(nowMs),
        paths: Object.fromEntries(
          [...paths].map(([id, p]) => [id, { up: p.up, forMs: nowMs - p.sinceMs, reported: p.reported }]),
        ),
      };
    },
  };
}
