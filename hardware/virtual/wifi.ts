/** A board's Wi-Fi: Espruino's modules `Wifi` and `net` over an access point that can be out of reach. A connection through
 *  it falls silent when the access point goes, as TCP does, and is not told of it. */
import { connect as connectTcp } from "node:net";
import type { BoardWifi } from "./board-types.ts";
import type { Clock } from "./clock.ts";

export interface TcpEvents {
  opened(): void;
  data(bytes: Uint8Array): void;
  /** Also when it could not be opened. Once. */
  closed(): void;
}

export interface TcpConnection {
  write(bytes: Uint8Array): void;
  end(): void;
}

/** Opens a TCP connection. */
export type OpenTcp = (host: string, port: number, events: TcpEvents) => TcpConnection;

export interface VirtualWifiOptions {
  readonly clock: Clock;
  readonly openTcp: OpenTcp;
  readonly ssid: string;
  readonly password: string;
  /** How long the board takes to join. Default 1.5 s. */
  readonly joinMs?: number;
}

export interface VirtualWifi extends BoardWifi {
  /** The access point is there, or is not. */
  setInReach(isInReach: boolean): void;
}

type Listener = (...args: never[]) => void;
type Run = (code: () => void) => void;

const JOIN_MS = 1500;

/** A board's Wi-Fi, in reach of its access point. */
export function createVirtualWifi(options: VirtualWifiOptions): VirtualWifi {
  return new Wifi(options);
}

/** The machine's own TCP. */
export const openMachineTcp: OpenTcp = (host, port, events) => {
  const socket = connectTcp({ host, port, noDelay: true });
  socket.on("connect", events.opened);
  socket.on("data", events.data);
  // what went wrong, "close" tells as well
  socket.on("error", () => undefined);
  socket.on("close", events.closed);
  return { write: (bytes) => void socket.write(bytes), end: () => void socket.end() };
};

class Wifi implements VirtualWifi {
  readonly #options: VirtualWifiOptions;
  readonly #connections = new Set<{ isDead: boolean; readonly tcp: TcpConnection }>();
  #isInReach = true;
  #isJoined = false;

  constructor(options: VirtualWifiOptions) {
    this.#options = options;
  }

  start(run: Run): Readonly<Record<string, object>> {
    return {
      Wifi: {
        connect: (ssid: string, { password }: { password: string }, done: (error: string | null) => void) =>
          this.#join(ssid === this.#options.ssid && password === this.#options.password, (error) =>
            run(() => done(error)),
          ),
      },
      net: {
        connect: (to: { host: string; port: number }, opened: () => void) => this.#open(to, opened, run),
      },
    };
  }

  stop(): void {
    this.#isJoined = false;
    for (const connection of this.#connections) connection.tcp.end();
    this.#connections.clear();
  }

  setInReach(isInReach: boolean): void {
    this.#isInReach = isInReach;
    if (isInReach) return;
    this.#isJoined = false;
    for (const connection of this.#connections) connection.isDead = true;
  }

  #join(isRight: boolean, done: (error: string | null) => void): void {
    this.#options.clock.setTimer(() => {
      this.#isJoined = this.#isInReach && isRight;
      done(this.#isJoined ? null : this.#isInReach ? "bad password" : "no access point found");
    }, this.#options.joinMs ?? JOIN_MS);
  }

  #open({ host, port }: { host: string; port: number }, opened: () => void, run: Run): object {
    const listeners = new Map<string, Listener>();
    const emit = (event: string, ...args: unknown[]) =>
      run(() => listeners.get(event)?.(...(args as never[])));
    if (!this.#isJoined) throw new Error("not connected to the internet");
    const connection = {
      isDead: false,
      tcp: this.#options.openTcp(host, port, {
        opened: () => void (connection.isDead || run(opened)),
        data: (bytes) => void (connection.isDead || emit("data", Buffer.from(bytes).toString("latin1"))),
        closed: () => {
          this.#connections.delete(connection);
          if (!connection.isDead) emit("close", false);
        },
      }),
    };
    this.#connections.add(connection);
    return {
      on: (event: string, listener: Listener) => void listeners.set(event, listener),
      write: (text: string) => void (connection.isDead || connection.tcp.write(Buffer.from(text, "latin1"))),
      end: () => connection.tcp.end(),
    };
  }
}
