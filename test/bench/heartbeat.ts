/** Heartbeat ingest: datagram in, authenticated, counted, acknowledged. CPU time per datagram, all threads, against an echo of
 *  the same datagrams and against lora-packet's rate on the same frames. Rounds alternate, so that all see the same machine. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { createBenchDevice } from "./devices.ts";
import { type BenchGateway, gatewayEui, openBenchGateway, pushDatagram } from "./gateway.ts";
import type { FromServer, ToServer } from "./heartbeat-servers.ts";
import { HUB_FLAGS } from "./isolate.ts";
import type { Bench, Measured } from "./measure.ts";
import { median } from "./stats.ts";

const DEVICES = 1000;
/** So many that the hub's rate limit for one gateway leaves them alone. */
const GATEWAYS = 128;
const WINDOW = 64;

interface Server {
  ask(message: ToServer): Promise<FromServer>;
  stop(): void;
}

function startServer(execArgv: readonly string[] = []): Server {
  const child: ChildProcess = fork(fileURLToPath(new URL("heartbeat-servers.ts", import.meta.url)), {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    execArgv: [...process.execArgv, ...execArgv],
  });
  return {
    ask: (message) =>
      new Promise((resolve, reject) => {
        const gone = () => reject(new Error("a heartbeat server has ended"));
        child.once("exit", gone);
        child.once("message", (answer: FromServer) => {
          child.off("exit", gone);
          resolve(answer);
        });
        child.send(message);
      }),
    stop: () => child.kill(),
  };
}

interface Side {
  readonly server: Server;
  readonly gateway: BenchGateway;
  readonly rates: number[];
}

async function openSide(bench: Bench, start: "hub" | "echo"): Promise<Side> {
  const dir = path.join(bench.dir, start);
  mkdirSync(dir);
  const server = startServer(start === "hub" ? HUB_FLAGS : []);
  const answer = await server.ask({ start, dir, devices: DEVICES });
  if (!("port" in answer)) throw new Error("no port");
  const euis = Array.from({ length: GATEWAYS }, (_, n) => gatewayEui(n));
  return { server, gateway: await openBenchGateway(answer.port, euis), rates: [] };
}

/** Sends one round; keeps heartbeats per CPU second. Throws when one got lost: then the figure would flatter. */
async function round(side: Side, datagrams: readonly Uint8Array[]): Promise<void> {
  const before = await side.server.ask({ lookAtCpu: true });
  const lost = await side.gateway.sendAll(datagrams, WINDOW);
  const after = await side.server.ask({ lookAtCpu: true });
  if (!("cpu" in before && "cpu" in after)) throw new Error("no CPU time");
  const taken = after.taken - before.taken;
  if (lost > 0 || taken !== datagrams.length)
    throw new Error(`${taken} of ${datagrams.length} heartbeats were taken, ${lost} had no answer`);
  const usedS = (after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system) / 1e6;
  side.rates.push(taken / usedS);
}

export async function measure(bench: Bench): Promise<Measured> {
  const rounds = bench.quick ? 3 : 7;
  const perDevice = bench.quick ? 10 : 20;
  const devices = Array.from({ length: DEVICES }, (_, number) => createBenchDevice(number));
  const makeRound = () =>
    Array.from({ length: perDevice * DEVICES }, (_, n) => {
      const device = devices[n % DEVICES];
      if (device === undefined) throw new Error("no device");
      return pushDatagram(device.frame("heartbeat"), gatewayEui(n % GATEWAYS));
    });
  const hub = await openSide(bench, "hub");
  const echo = await openSide(bench, "echo");
  const lora = startServer();
  const loraRates: number[] = [];
  try {
    for (let n = 0; n <= rounds; n++) {
      bench.signal.throwIfAborted();
      bench.progress(n === 0 ? "warming up" : `round ${n} of ${rounds}`);
      const datagrams = makeRound();
      await round(echo, datagrams);
      await round(hub, datagrams);
      const answer = await lora.ask({ loraPacket: 3_000 });
      if ("framesPerCpuS" in answer) loraRates.push(answer.framesPerCpuS);
    }
  } finally {
    for (const { server, gateway } of [hub, echo]) {
      gateway.close();
      server.stop();
    }
    lora.stop();
  }
  return figures(hub.rates.slice(1), echo.rates.slice(1), loraRates.slice(1));
}

function figures(hubRates: number[], echoRates: number[], loraRates: number[]): Measured {
  const [value, echoed, loraPacket] = [median(hubRates), median(echoRates), median(loraRates)];
  const shared = { value, unit: "heartbeats per CPU second" };
  return {
    figures: [
      {
        ...shared,
        name: "heartbeat ingest against lora-packet",
        reference: { what: "lora-packet: parse, verify, decrypt", value: loraPacket },
        bound: { is: ">=", limit: 5 },
      },
      {
        ...shared,
        name: "heartbeat ingest against an echo",
        reference: { what: "parses JSON and base64, acknowledges", value: echoed },
        bound: { is: ">=", limit: 0.5 },
      },
    ],
    bars: [
      {
        name: "Heartbeats",
        unit: "per CPU second",
        bars: [
          { label: "echo without any check", value: echoed },
          { label: "hub", value },
          { label: "lora-packet, no network", value: loraPacket },
        ],
      },
    ],
  };
}
