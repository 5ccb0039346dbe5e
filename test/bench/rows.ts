/** Every measurement, in the order in which they run. */
import type { Row } from "./measure.ts";

export const SLOW_SYNC_MS = 5;

export const ROWS: readonly Row[] = [
  {
    name: "alarm",
    module: "alarm-latency.ts",
    what: "single alarms, datagram to stored receipt",
    asHub: true,
    limitS: 60,
  },
  {
    name: "alarm-slow",
    module: "alarm-latency.ts",
    what: "the same on slow storage",
    asHub: true,
    slowSyncMs: SLOW_SYNC_MS,
    limitS: 60,
  },
  {
    name: "sustained",
    module: "sustained.ts",
    what: "alarms under load, one hub",
    asHub: true,
    limitS: 90,
  },
  { name: "centre", module: "many-hubs.ts", what: "500 hubs at one centre, its memory", limitS: 120 },
  {
    name: "memory",
    module: "memory.ts",
    what: "the hub's memory, at rest and with 10,000 devices",
    limitS: 60,
  },
  { name: "start", module: "start.ts", what: "from the command to the first acknowledgement", limitS: 300 },
  { name: "world", module: "demo-world.ts", what: "presses in the demo's world, in real time", limitS: 400 },
  { name: "broker", module: "broker.ts", what: "the hub's broker beside mosquitto", limitS: 90 },
  {
    name: "heartbeat",
    module: "heartbeat.ts",
    what: "heartbeats in, authenticated and acknowledged",
    limitS: 60,
  },
  { name: "journal", module: "journal.ts", what: "the journal's group commit", limitS: 60 },
  {
    name: "journal-slow",
    module: "journal.ts",
    what: "the same on slow storage",
    slowSyncMs: SLOW_SYNC_MS,
    limitS: 60,
  },
  { name: "bus", module: "bus.ts", what: "presses on a full wire bus; noise on it", limitS: 120 },
  { name: "modbus", module: "modbus.ts", what: "reads on a paced Modbus line", limitS: 90 },
];
