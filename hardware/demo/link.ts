/** A line between two machines that can be cut: a TCP relay on the loopback. Cutting it drops every connection and
 *  refuses new ones, as a torn cable and a dead router do together. */
import net from "node:net";

export interface Link {
  readonly port: number;
  readonly up: boolean;
  cut(): void;
  restore(): void;
  close(): Promise<void>;
}

/** Listens on 127.0.0.1:`port` (0: a free one) and relays to 127.0.0.1:`targetPort()`, asked anew for each connection. */
export async function createLink(targetPort: () => number, port = 0): Promise<Link> {
  const sockets = new Set<net.Socket>();
  let up = true;
  const keep = (socket: net.Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once("close", () => sockets.delete(socket));
    // the other half learns of it by the close that follows
    socket.on("error", () => socket.destroy());
  };
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  const server = net.createServer((near) => {
    keep(near);
    if (!up) {
      near.destroy();
      return;
    }
    const far = net.connect({ host: "127.0.0.1", port: targetPort() });
    keep(far);
    near.pipe(far).pipe(near);
    near.once("close", () => far.destroy());
    far.once("close", () => near.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as net.AddressInfo).port,
    get up() {
      return up;
    },
    cut() {
      up = false;
      drop();
    },
    restore() {
      up = true;
    },
    async close() {
      drop();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
