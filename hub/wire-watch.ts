/** The wired part of supervision: buses, and the devices on them that stop answering. A wire says within a second what the
 *  radio says by silence after hours. Pure but for the state it keeps. */
import type { Trouble } from "./trouble.ts";

export interface WireWatch {
  /** A bus can be used, or cannot. */
  bus(name: string, isUp: boolean, nowMs: number): void;
  /** Whoever is on the wire `gateway` answers, or does not. */
  wire(gateway: string, isUp: boolean, reason: string | null): void;
  /** The way by which a device was heard last; null: not by a wire. */
  heard(devEui: string, gateway: string | null): void;
  forget(devEui: string): void;
  /** Why this device cannot be there, or null when nothing speaks against it. */
  lossOf(devEui: string): string | null;
  /** What has changed about buses, and about wires whose device nobody knows. */
  sweep(nowMs: number): Trouble[];
  view(nowMs: number): Readonly<Record<string, { up: boolean; forMs: number; reported: boolean }>>;
}

/** An adapter that is put back within this time was never lost. */
const BUS_LOST_MS = 2_000;

interface Bus {
  isUp: boolean;
  sinceMs: number;
  isReported: boolean;
}

/** Knows nothing yet. */
export function createWireWatch(): WireWatch {
  const buses = new Map<string, Bus>();
  /** Wires that are down, with the reason. */
  const down = new Map<string, string>();
  const wireOf = new Map<string, string>();
  const reported = new Set<string>();

  const sweepBuses = (nowMs: number): Trouble[] => {
    const troubles: Trouble[] = [];
    for (const [note, bus] of buses) {
      const isLost = !bus.isUp && nowMs - bus.sinceMs > BUS_LOST_MS;
      if (isLost === bus.isReported || (!isLost && !bus.isUp)) continue;
      bus.isReported = isLost;
      troubles.push({ kind: isLost ? "busLost" : "busBack", device: null, note });
    }
    return troubles;
  };
  const sweepWires = (): Trouble[] => {
    const known = new Set(wireOf.values());
    const lost = [...down.keys()].filter((gateway) => !known.has(gateway) && !reported.has(gateway));
    const back = [...reported].filter((gateway) => !down.has(gateway));
    for (const gateway of lost) reported.add(gateway);
    for (const gateway of back) reported.delete(gateway);
    return [
      ...lost.map((note): Trouble => ({ kind: "gatewayLost", device: null, note })),
      ...back.map((note): Trouble => ({ kind: "gatewayBack", device: null, note })),
    ];
  };
  return {
    bus(name, isUp, nowMs) {
      const bus = buses.get(name);
      if (bus === undefined) buses.set(name, { isUp, sinceMs: nowMs, isReported: false });
      else if (bus.isUp !== isUp) Object.assign(bus, { isUp, sinceMs: nowMs });
    },
    wire(gateway, isUp, reason) {
      if (isUp) down.delete(gateway);
      else down.set(gateway, reason ?? "no answer");
    },
    heard(devEui, gateway) {
      if (gateway === null) wireOf.delete(devEui);
      else wireOf.set(devEui, gateway);
    },
    forget: (devEui) => void wireOf.delete(devEui),
    lossOf(devEui) {
      const gateway = wireOf.get(devEui);
      const reason = gateway === undefined ? undefined : down.get(gateway);
      return reason === undefined ? null : `${gateway}: ${reason}`;
    },
    sweep: (nowMs) => [...sweepBuses(nowMs), ...sweepWires()],
    view: (nowMs) =>
      Object.fromEntries(
        [...buses].map(([name, { isUp, sinceMs, isReported }]) => [
          name,
          { up: isUp, forMs: nowMs - sinceMs, reported: isReported },
        ]),
      ),
  };
}
