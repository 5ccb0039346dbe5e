/** The wired stairwell: an RS-485 line in software, and the serial server by which the hub is its master. */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { createDeframer } from "../../protocols/device/frame.ts";
import { type BusPort, createVirtualBus } from "../virtual/bus.ts";
import type { Clock } from "../virtual/clock.ts";

export interface Stairs {
  /** Of the serial server, on 127.0.0.1. */
  readonly tcpPort: number;
  /** A place on the line for one more board. */
  attach(): BusPort;
  /** Hears of each PHYPayload of a device that has come whole to the serial server. */
  onHeard(listener: (address: number, phyPayload: Uint8Array) => void): void;
  close(): Promise<void>;
}

/** Settles when the hub can connect. */
export async function startStairs(clock: Clock): Promise<Stairs> {
  const bus = createVirtualBus({ clock });
  const port = bus.attach();
  const sockets = new Set<Socket>();
  const listeners: ((address: number, phyPayload: Uint8Array) => void)[] = [];
  const deframe = createDeframer(
    ({ fromDevice, type, address, payload }) => {
      if (fromDevice && type === "data") for (const listener of listeners) listener(address, payload);
    },
    // what is spoiled is asked again
    () => undefined,
  );
  port.onData((bytes) => {
    for (const socket of sockets) socket.write(bytes);
    deframe(bytes);
  });
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("data", (bytes) => port.send(bytes));
    // a hub that is killed resets its connection; it comes back by itself
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("demo: the serial server has no port");
  return {
    tcpPort: bound.port,
    attach: () => bus.attach(),
    onHeard: (listener) => void listeners.push(listener),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
