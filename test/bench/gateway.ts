/** The sending end of a radio gateway, as cheap as can be: datagrams made ahead, acknowledgements counted, downlinks taken and
 *  dropped. There is no air behind it. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { encodeSemtech } from "../../protocols/semtech-udp.ts";

const PUSH_ACK = 1;
const PULL_RESP = 3;
const TX_ACK = 5;

export function gatewayEui(number: number): string {
  return (0x0016c001f1500000n + BigInt(number)).toString(16).padStart(16, "0");
}

let tmst = 0;

/** PUSH_DATA with one frame. Token and concentrator time go up by themselves. */
export function pushDatagram(phyPayload: Uint8Array, gateway: string): Uint8Array {
  tmst = (tmst + 100_000) % 2 ** 32;
  return encodeSemtech({
    type: "pushData",
    token: (tmst / 100_000) & 0xffff,
    gateway,
    stat: null,
    rxpk: [
      {
        tmst,
        frequencyHz: 868_100_000,
        channel: 0,
        rfChain: 0,
        crc: "ok",
        dataRate: "SF7BW125",
        codingRate: "4/5",
        rssiDbm: -81,
        snrDb: 8.5,
        phyPayload,
      },
    ],
  });
}

export interface BenchGateway {
  send(datagram: Uint8Array): void;
  /** Sends all, keeping `window` of them unacknowledged. Settles with the number never acknowledged. */
  sendAll(datagrams: readonly Uint8Array[], window: number): Promise<number>;
  close(): void;
}

/** A datagram that got no answer for so long is lost. */
const LOST_MS = 500;

/** Gateways whose downlinks the hub can place: each has its own socket, and every request is answered "queued". */
export async function openBenchGateways(hubPort: number, euis: readonly string[]): Promise<BenchGateway[]> {
  return Promise.all(euis.map((eui) => openBenchGateway(hubPort, [eui])));
}

/** One socket that speaks for all these gateways; the hub learns from it where their downlinks go. */
export async function openBenchGateway(hubPort: number, euis: readonly string[]): Promise<BenchGateway> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 4 * 1024 * 1024 });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  socket.connect(hubPort, "127.0.0.1");
  await once(socket, "connect");
  let onAck = () => {};
  socket.on("message", (bytes) => {
    if (bytes[3] === PUSH_ACK) onAck();
    else if (bytes[3] === PULL_RESP) takeDownlink(socket, bytes, euis[0] ?? "");
  });
  const pull = () => {
    for (const gateway of euis) socket.send(encodeSemtech({ type: "pullData", token: 0, gateway }));
  };
  pull();
  const pulls = setInterval(pull, 5_000);
  return {
    send: (datagram) => socket.send(datagram),
    sendAll(datagrams, window) {
      const { promise, resolve } = Promise.withResolvers<number>();
      let sent = 0;
      let open = 0;
      let lost = 0;
      let lastMs = performance.now();
      const fill = () => {
        while (open < window && sent < datagrams.length) {
          socket.send(datagrams[sent++] ?? new Uint8Array());
          open++;
        }
        if (open > 0) return;
        clearInterval(watch);
        resolve(lost);
      };
      const watch = setInterval(() => {
        if (performance.now() - lastMs < LOST_MS) return;
        lost += open;
        open = 0;
        fill();
      }, LOST_MS);
      onAck = () => {
        lastMs = performance.now();
        open--;
        fill();
      };
      fill();
      return promise;
    },
    close() {
      clearInterval(pulls);
      socket.close();
    },
  };
}

/** The forwarder's TX_ACK without JSON: queued. */
function takeDownlink(socket: Socket, bytes: Uint8Array, gateway: string): void {
  const answer = Buffer.alloc(12);
  answer.set(bytes.subarray(0, 3));
  answer[3] = TX_ACK;
  answer.write(gateway, 4, "hex");
  socket.send(answer);
}
