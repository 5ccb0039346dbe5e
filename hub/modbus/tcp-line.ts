/** A Modbus TCP unit or gateway. Connected again for ever. */
import { connect, type Socket } from "node:net";
import type { Clock, Timer } from "../clock.ts";
import { createLineState, type Line, type LineEvents } from "./line.ts";

const RECONNECT_MS = 1_000;
const CONNECT_MS = 3_000;

export interface TcpLineOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
}

export function openTcpLine({ host, port, clock }: TcpLineOptions, events: LineEvents): Line {
  const state = createLineState(events);
  let socket: Socket | null = null;
  let timer: Timer | null = null;
  let closed = false;

  function dial(): void {
    const own = connect({ host, port, noDelay: true, keepAlive: true });
    socket = own;
    timer = clock.setTimer(() => lost(own, `no connection within ${CONNECT_MS} ms`), CONNECT_MS);
    own.on("connect", () => {
      timer?.cancel();
      state.up();
    });
    own.on("data", (bytes) => {
      if (socket === own) events.data(bytes);
    });
    own.on("error", (error) => lost(own, error.message));
    own.on("close", () => lost(own, "closed by the other side"));
  }

  function lost(own: Socket, reason: string): void {
    if (socket !== own) return;
    socket = null;
    timer?.cancel();
    own.destroy();
    if (closed) return;
    state.down(reason);
    timer = clock.setTimer(dial, RECONNECT_MS);
  }

  dial();
  return {
    get isUp() {
      return state.isUp;
    },
    write(bytes) {
      if (state.isUp) socket?.write(bytes);
    },
    reset(reason) {
      if (socket !== null) lost(socket, reason);
    },
    async close() {
      closed = true;
      timer?.cancel();
      socket?.destroy();
      socket = null;
    },
  };
}
