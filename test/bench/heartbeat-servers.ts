/** Three ways to take heartbeats off the same UDP datagrams, each in a process of its own so that its CPU time is its own:
 *  the hub, an echo that parses and acknowledges and no more, and lora-packet without any network. Started by heartbeat.ts. */

import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createRequire } from "node:module";
import path from "node:path";
import { createUdpDatagrams } from "../../hub/carriers/datagram.ts";
import { openSemtechUdp } from "../../hub/carriers/semtech-udp.ts";
import { createSystemClock } from "../../hub/clock.ts";
import { createIngest } from "../../hub/ingest.ts";
import { createNetworkServer } from "../../hub/lorawan/server.ts";
import { createBenchDevice, deviceRow, REGION } from "./devices.ts";
import { openBenchJournal } from "./journal.ts";

// its types name a default export that its CommonJS does not have
const loraPacket: typeof import("lora-packet").default = createRequire(import.meta.url)("lora-packet");

export type ToServer =
  | { readonly start: "hub" | "echo"; readonly dir: string; readonly devices: number }
  | { readonly lookAtCpu: true }
  | { readonly loraPacket: number };

export type FromServer =
  | { readonly port: number }
  | { readonly cpu: NodeJS.CpuUsage; readonly taken: number }
  | { readonly framesPerCpuS: number };

/** How many heartbeats have been taken so far. */
let taken: () => number = () => 0;

/** The hub's own carrier, network server, ingest and journal, with the product's own limits. */
async function startHub(dir: string, devices: number): Promise<number> {
  const clock = createSystemClock();
  const journal = await openBenchJournal(path.join(dir, "journal.sqlite"));
  const rows = Array.from({ length: devices }, (_, number) => deviceRow(number));
  for (const row of rows) await journal.saveDevice(row);
  const known = new Map(rows.map((row) => [row.devEui, row]));
  const ingest = await createIngest({
    journal,
    clock,
    device: (devEui) => known.get(devEui),
    onStage: () => undefined,
    onTrouble: (error) => console.error(error),
  });
  const server = createNetworkServer({
    region: REGION,
    clock,
    store: journal,
    sink: { ...ingest, notice: () => undefined },
    devices: rows,
  });
  const carrier = await openSemtechUdp({
    region: REGION,
    clock,
    datagrams: createUdpDatagrams((error) => console.error(error)),
    port: 0,
    random: randomBytes,
    onReception: (reception) => server.receive(reception),
  });
  server.attach(carrier);
  taken = () => ingest.counters.heartbeats;
  return carrier.address.port;
}

/** Header, JSON, base64 and the acknowledgement: what no ingest can do without. */
async function startEcho(): Promise<number> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 4 * 1024 * 1024 });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  let bytes = 0;
  let frames = 0;
  socket.on("message", (datagram, from) => {
    if (datagram[3] !== 0) return;
    const { rxpk } = JSON.parse(datagram.toString("latin1", 12)) as { rxpk: { data: string }[] };
    for (const { data } of rxpk) {
      bytes += Buffer.from(data, "base64").length;
      frames++;
    }
    socket.send(
      Uint8Array.of(datagram[0] ?? 0, datagram[1] ?? 0, datagram[2] ?? 0, 1),
      from.port,
      from.address,
    );
  });
  taken = () => (bytes > 0 ? frames : 0);
  return socket.address().port;
}

/** lora-packet's parse, verification and decryption of the same frames: how many in a second of CPU time. */
function rateLoraPacket(frames: number): number {
  const device = createBenchDevice(0);
  const session = deviceRow(0).session;
  const nwkSKey = Buffer.from(session?.nwkSKey ?? "", "hex");
  const appSKey = Buffer.from(session?.appSKey ?? "", "hex");
  const wire = Array.from({ length: frames }, () => Buffer.from(device.frame("heartbeat")));
  let good = 0;
  const before = process.cpuUsage();
  for (const bytes of wire) {
    const packet = loraPacket.fromWire(bytes);
    if (!loraPacket.verifyMIC(packet, nwkSKey)) continue;
    if (loraPacket.decrypt(packet, appSKey, nwkSKey)?.length === 8) good++;
  }
  const used = process.cpuUsage(before);
  if (good !== frames) throw new Error(`lora-packet took ${good} of ${frames} frames`);
  return frames / ((used.user + used.system) / 1e6);
}

async function obey(message: ToServer): Promise<FromServer> {
  if ("lookAtCpu" in message) return { cpu: process.cpuUsage(), taken: taken() };
  if ("loraPacket" in message) return { framesPerCpuS: rateLoraPacket(message.loraPacket) };
  return { port: await (message.start === "hub" ? startHub(message.dir, message.devices) : startEcho()) };
}

process.on("message", (message: ToServer) => {
  obey(message).then(
    (answer) => process.send?.(answer),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.once("disconnect", () => process.exit());
