/** What this machine allows: the costs of which no alarm road is free, measured beside everything else. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import path from "node:path";
import tls from "node:tls";
import { fileURLToPath } from "node:url";
import { createSigningKey, createVerifyingKey, generatePrivateKeyPem } from "../../protocols/signature.ts";
import { median } from "./stats.ts";
import { makeTlsPair } from "./tls-pair.ts";

export interface Floor {
  readonly syncMs: number;
  readonly signMs: number;
  readonly verifyMs: number;
  readonly tlsRoundTripMs: number;
  /** 3 syncs + 2 signatures + 2 verifications + 2 loopback TLS round trips. */
  readonly alarmMs: number;
}

/** Median milliseconds of a 4 KiB write + fdatasync in `dir`. */
export function measureSyncMs(dir: string, rounds = 200): number {
  const file = openSync(path.join(dir, "floor.bin"), "w");
  const page = Buffer.alloc(4096, 7);
  const samples: number[] = [];
  try {
    for (let i = 0; i < rounds; i++) {
      const start = performance.now();
      writeSync(file, page);
      fdatasyncSync(file);
      samples.push(performance.now() - start);
    }
  } finally {
    closeSync(file);
  }
  return median(samples);
}

/** Median milliseconds of one Ed25519 signature and one verification of 300 bytes, by the product's own suite. */
export function measureSignatureMs(rounds = 2000): { signMs: number; verifyMs: number } {
  const key = createSigningKey(generatePrivateKeyPem());
  const publicKey = createVerifyingKey(key.publicKey, key.alg);
  const message = Buffer.alloc(300, 5);
  const signature = key.sign(message);
  const time = (work: () => void) => {
    const samples: number[] = [];
    for (let i = 0; i < rounds; i++) {
      const start = performance.now();
      work();
      samples.push(performance.now() - start);
    }
    return median(samples);
  };
  return {
    signMs: time(() => key.sign(message)),
    verifyMs: time(() => publicKey.verify(message, signature)),
  };
}

/** Median milliseconds for 300 bytes there and back over mutual TLS 1.3 on the loopback, between two processes as a hub and a
 *  centre are. */
export async function measureTlsRoundTripMs(rounds = 1000): Promise<number> {
  const pair = makeTlsPair();
  const echo = fork(fileURLToPath(new URL("floor-echo.ts", import.meta.url)));
  try {
    const listening = once(echo, "message");
    echo.send(pair.server);
    const [{ port }] = (await listening) as [{ port: number }];
    const socket = tls.connect({ ...pair.client, host: "127.0.0.1", port });
    await once(socket, "secureConnect");
    socket.setNoDelay(true);
    const samples: number[] = [];
    for (let i = 0; i < rounds; i++) samples.push(await roundTripMs(socket, Buffer.alloc(300, 5)));
    socket.destroy();
    return median(samples.slice(rounds / 2));
  } finally {
    echo.disconnect();
  }
}

async function roundTripMs(socket: tls.TLSSocket, message: Buffer): Promise<number> {
  const start = performance.now();
  socket.write(message);
  for (let got = 0; got < message.length; ) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    got += chunk.length;
  }
  return performance.now() - start;
}

/** One look at the floor. A measurement takes several, spread over its own time, and their `medianFloor`. */
export async function measureFloor(dir: string): Promise<Floor> {
  const syncMs = measureSyncMs(dir);
  const { signMs, verifyMs } = measureSignatureMs();
  const tlsRoundTripMs = await measureTlsRoundTripMs();
  return withSum({ syncMs, signMs, verifyMs, tlsRoundTripMs });
}

export function medianFloor(floors: readonly Floor[]): Floor {
  const of = (part: keyof Floor) => median(floors.map((floor) => floor[part]));
  return withSum({
    syncMs: of("syncMs"),
    signMs: of("signMs"),
    verifyMs: of("verifyMs"),
    tlsRoundTripMs: of("tlsRoundTripMs"),
  });
}

function withSum(parts: Omit<Floor, "alarmMs">): Floor {
  const { syncMs, signMs, verifyMs, tlsRoundTripMs } = parts;
  return { ...parts, alarmMs: 3 * syncMs + 2 * signMs + 2 * verifyMs + 2 * tlsRoundTripMs };
}
