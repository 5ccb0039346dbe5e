/** Ports for the demo: the usual ones when they are free, any free one when they are not. */
import dgram from "node:dgram";
import net from "node:net";

/** `wanted` on 127.0.0.1 when nobody has it, else a free port. Between this answer and its use somebody else may take it. */
export async function freeTcpPort(wanted: number): Promise<number> {
  return (await tryTcp(wanted)) ?? (await tryTcp(0)) ?? wanted;
}

export async function freeUdpPort(wanted: number): Promise<number> {
  return (await tryUdp(wanted)) ?? (await tryUdp(0)) ?? wanted;
}

async function tryTcp(port: number): Promise<number | undefined> {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => {
      const taken = (server.address() as net.AddressInfo).port;
      server.close(() => resolve(taken));
    });
  });
}

async function tryUdp(port: number): Promise<number | undefined> {
  const socket = dgram.createSocket("udp4");
  return new Promise((resolve) => {
    socket.once("error", () => resolve(undefined));
    socket.bind(port, "127.0.0.1", () => {
      const taken = socket.address().port;
      socket.close(() => resolve(taken));
    });
  });
}
