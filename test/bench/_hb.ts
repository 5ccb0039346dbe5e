import { randomBytes } from "node:crypto";
import { openSemtechUdp } from "../../hub/carriers/semtech-udp.ts";
import { createSystemClock } from "../../hub/clock.ts";
import { createIngest } from "../../hub/ingest.ts";
import { createNetworkServer } from "../../hub/lorawan/server.ts";
import { createBenchDevice, deviceRow, REGION } from "./devices.ts";
import { gatewayEui, pushDatagram } from "./gateway.ts";
import { openBenchJournal } from "./journal.ts";
import { mkdtempSync } from "node:fs";
const dir = mkdtempSync("/work/main/data/hb-");
const DEVICES = 500;
const clock = createSystemClock();
const journal = await openBenchJournal(dir + "/j.sqlite");
const rows = Array.from({ length: DEVICES }, (_, n) => deviceRow(n));
for (const row of rows) await journal.saveDevice(row);
const known = new Map(rows.map((r) => [r.devEui, r]));
const ingest = await createIngest({ journal, clock, device: (d) => known.get(d), onStage() {}, onTrouble: console.error });
const server = createNetworkServer({ region: REGION, clock, store: journal, sink: { ...ingest, notice() {} }, devices: rows });
let listener: any; let acks = 0;
const carrier = await openSemtechUdp({ region: REGION, clock, datagrams: { bind: () => ({ address: { address: "127.0.0.1", port: 1 }, send() { acks++; }, onMessage(l: any) { listener = l; }, async close() {} }) }, port: 0, random: randomBytes, onReception: (r) => server.receive(r) });
server.attach(carrier);
const devices = rows.map((_, n) => createBenchDevice(n));
const from = { address: "127.0.0.1", port: 5 };
for (let r = 0; r < Number(process.argv[2] ?? 8); r++) {
  const d = Array.from({ length: 30000 }, (_, n) => Buffer.from(pushDatagram(devices[n % DEVICES]!.frame("heartbeat"), gatewayEui(n % 128))));
  await new Promise((ok) => setTimeout(ok, 2000));
  const b = process.cpuUsage(); const c0 = ingest.counters.heartbeats;
  for (let i = 0; i < d.length; i += 32) { for (let k = i; k < i + 32 && k < d.length; k++) listener(d[k], from); await new Promise(setImmediate); }
  const u = process.cpuUsage(b); console.log(((u.user + u.system) / (ingest.counters.heartbeats - c0)).toFixed(2), "us", ingest.counters.heartbeats - c0, "user", u.user, "sys", u.system);
}
await journal[Symbol.asyncDispose](); carrier.close(); server.stop();
