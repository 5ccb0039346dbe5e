/** The edge between the hub and UDP: small enough that a virtual network can stand in for it. */
import { createSocket } from "node:dgram";
import { type LookupOptions, lookup as lookupName } from "node:dns";
import { once } from "node:events";
import { isIP } from "node:net";

export interface DatagramAddress {
  readonly address: string;
  readonly port: number;
}

export interface DatagramSocket {
  /** Where the socket is bound; the port is the real one when 0 was asked for. */
  readonly address: DatagramAddress;
  /** Sends and forgets: what does not arrive is lost, as UDP promises. */
  send(bytes: Uint8Array, port: number, address: string): void;
  onMessage(listener: (bytes: Uint8Array, from: DatagramAddress) => void): void;
  close(): Promise<void>;
}

/** Where sockets come from. Port 0 takes a free one. */
export interface Datagrams {
  bind(port: number, address: string): DatagramSocket | Promise<DatagramSocket>;
}

/** Room for about 5,000 small datagrams while the event loop is busy; the kernel cuts it to its own limit. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** The machine's UDP. `bind` rejects with the operating system's error (EADDRINUSE, EACCES …); errors after that (an
 *  unreachable peer) go to `onError` and never end the socket. */
export function createUdpDatagrams(onError: (error: Error) => void): Datagrams {
  return {
    async bind(port, address) {
      const socket = createSocket({
        type: address.includes(":") ? "udp6" : "udp4",
        recvBufferSize: RECEIVE_BUFFER_BYTES,
        lookup: lookupAddress,
      });
      // an address is known at once, and then so is the binding
      const listening = once(socket, "listening");
      socket.bind({ port, address, exclusive: true });
      await listening;
      socket.on("error", onError);
      const bound = socket.address();
      return {
        address: { address: bound.address, port: bound.port },
        // without a callback, which costs as much as the sending; errors come as events then
        send: (bytes, toPort, toAddress) => socket.send(bytes, toPort, toAddress),
        onMessage: (listener) => void socket.on("message", listener),
        close: () => new Promise((closed) => socket.close(() => closed())),
      };
    },
  };
}

type Found = (error: NodeJS.ErrnoException | null, address: string, family: number) => void;

/** An answer goes where its question came from, which is an address already: Node's own way would look it up as a name each
 *  time, which costs as much as the sending. */
function lookupAddress(name: string, options: LookupOptions | number, found: Found): void {
  const family = isIP(name);
  if (family !== 0) found(null, name, family);
  else
    lookupName(name, typeof options === "number" ? { family: options } : { ...options, all: false }, found);
}
