/** Datagrams as an argument: the machine's UDP, or an in-memory network with latency and loss. */
import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface DatagramSocket {
  readonly address: Endpoint;
  /** Sends and forgets: what does not arrive is lost, as UDP promises. */
  send(bytes: Uint8Array, port: number, address: string): void;
  onMessage(listener: (bytes: Uint8Array, from: Endpoint) => void): void;
  close(): Promise<void>;
}

/** Where sockets come from. Port 0 takes a free one. */
export interface Datagrams {
  bind(port: number, address?: string): DatagramSocket | Promise<DatagramSocket>;
}

/** Real UDP over IPv4, loopback unless an address is given. `onError` hears what the socket could not do. */
export function createUdpDatagrams(onError: (error: Error) => void): Datagrams {
  return {
    async bind(port, address = "127.0.0.1") {
      const socket = createSocket("udp4");
      socket.bind(port, address);
      await once(socket, "listening");
      socket.on("error", onError);
      const { address: bound, port: boundPort } = socket.address();
      return {
        address: { address: bound, port: boundPort },
        send: (bytes, toPort, toAddress) =>
          socket.send(bytes, toPort, toAddress, (error) => {
            if (error) onError(error);
          }),
        onMessage: (listener) =>
          void socket.on("message", (bytes: Buffer, from: RemoteInfo) =>
            listener(bytes, { address: from.address, port: from.port }),
          ),
        close: () => new Promise<void>((closed) => socket.close(() => closed())),
      };
    },
  };
}

export interface DatagramNetworkOptions {
  /** One way; a function draws one per datagram, so datagrams may overtake each other. Default 0.2 ms, a local wire. */
  readonly latencyMs?: number | (() => number);
  /** 0-1, default 0. */
  readonly lossProbability?: number;
  readonly random?: Random;
}

export interface DatagramNetwork extends Datagrams {
  bind(port: number, address?: string): DatagramSocket;
  /** While true nothing arrives: a pulled cable. */
  cut: boolean;
  lossProbability: number;
  /** Every datagram as it is sent, arrived or not. */
  onDatagram(listener: (bytes: Uint8Array, from: Endpoint, to: Endpoint) => void): void;
}

const FIRST_FREE_PORT = 49_152;

/** An in-memory network: every bound socket reaches every other by address and port. */
export function createDatagramNetwork(clock: Clock, options: DatagramNetworkOptions = {}): DatagramNetwork {
  const sockets = new Map<string, (bytes: Uint8Array, from: Endpoint) => void>();
  const watchers: ((bytes: Uint8Array, from: Endpoint, to: Endpoint) => void)[] = [];
  const random = options.random ?? (() => 1);
  const latency = options.latencyMs ?? 0.2;
  let freePort = FIRST_FREE_PORT;
  const network: DatagramNetwork = {
    cut: false,
    lossProbability: options.lossProbability ?? 0,
    onDatagram: (listener) => void watchers.push(listener),
    bind(port, address = "127.0.0.1") {
      const own = { address, port: port === 0 ? freePort++ : port };
      const key = keyOf(own);
      if (sockets.has(key)) throw new Error(`datagram network: ${key} is taken; bind another port, or 0`);
      const listeners: ((bytes: Uint8Array, from: Endpoint) => void)[] = [];
      sockets.set(key, (bytes, from) => {
        for (const listener of listeners) listener(bytes, from);
      });
      return {
        address: own,
        send(bytes, toPort, toAddress) {
          const to = { address: toAddress, port: toPort };
          const copy = bytes.slice();
          for (const watcher of watchers) watcher(copy, own, to);
          if (network.cut || random() < network.lossProbability) return;
          clock.setTimer(
            () => sockets.get(keyOf(to))?.(copy, own),
            typeof latency === "number" ? latency : latency(),
          );
        },
        onMessage: (listener) => void listeners.push(listener),
        async close() {
          sockets.delete(key);
        },
      };
    },
  };
  return network;
}

function keyOf(endpoint: Endpoint): string {
  return `${endpoint.address}:${endpoint.port}`;
}
