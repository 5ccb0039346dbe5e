/** The thin edge of a wire bus: an adapter's serial port, or a serial server on the network, kept open. Every opening has
 *  a life of its own, and whatever an adapter that was pulled out still says about itself is heard once. */
import { connect as connectTcp } from "node:net";
import type { SerialPort } from "serialport";
import type { Clock, Timer } from "../clock.ts";
import { serialServer } from "./rs485-config.ts";

export interface LineEvents {
  opened(): void;
  data(bytes: Uint8Array): void;
  /** The line is gone, or could not be opened. It is tried again by itself. */
  closed(reason: string): void;
}

export interface Line {
  /** Drops the bytes while the line is not open. */
  write(bytes: Uint8Array): void;
  close(): Promise<void>;
}

/** Opens a line and keeps it open. Never throws: what is wrong comes by `closed`. */
export type OpenLine = (path: string, baud: number, events: LineEvents) => Line;

/** One opening. `ended` is called once the line cannot be used any more, perhaps several times. */
interface Opening {
  opened(): void;
  data(bytes: Uint8Array): void;
  ended(reason: string): void;
}

interface Connection {
  write(bytes: Uint8Array): void;
  close(): Promise<void>;
}

const REOPEN_MS = 1_000;
/** An adapter that takes no bytes any more is opened anew. */
const MAX_UNSENT_BYTES = 4096;
const TCP_CONNECT_MS = 5_000;

/** Loads the serial port's driver only when there is a bus. */
export async function createLines(clock: Clock): Promise<OpenLine> {
  const { SerialPort } = await import("serialport");
  return (path, baud, events) => {
    const server = serialServer(path);
    const connect =
      server === null
        ? (opening: Opening) => openPort(new SerialPort({ path, baudRate: baud, autoOpen: false }), opening)
        : (opening: Opening) => openSocket(server, opening);
    return keepOpen(connect, clock, events);
  };
}

/** Opens again and again until it is closed. Exported for its tests. */
export function keepOpen(connect: (opening: Opening) => Connection, clock: Clock, events: LineEvents): Line {
  let current: Connection | null = null;
  let timer: Timer | null = null;
  let isClosed = false;

  const open = () => {
    let isOver = false;
    const connection = connect({
      opened: () => void (isOver || events.opened()),
      data: (bytes) => void (isOver || events.data(bytes)),
      ended(reason) {
        if (isOver) return;
        isOver = true;
        void current?.close();
        current = null;
        if (isClosed) return;
        events.closed(reason);
        timer = clock.setTimer(open, REOPEN_MS);
      },
    });
    if (isOver) void connection.close();
    else current = connection;
  };
  open();
  return {
    write: (bytes) => current?.write(bytes),
    async close() {
      isClosed = true;
      timer?.cancel();
      const last = current;
      current = null;
      await last?.close();
    },
  };
}

function openPort(port: SerialPort, opening: Opening): Connection {
  port.on("data", opening.data);
  // an adapter that is pulled out says "close" twice and "error" once
  port.on("close", () => opening.ended("the adapter is gone"));
  port.on("error", (error) => opening.ended(error.message));
  port.open((error) => (error ? opening.ended(error.message) : opening.opened()));
  return {
    write(bytes) {
      if (!port.isOpen) return;
      if (port.writableLength > MAX_UNSENT_BYTES) return opening.ended("the adapter takes no bytes");
      port.write(bytes);
    },
    close: () => new Promise((closed) => (port.isOpen ? port.close(() => closed()) : closed())),
  };
}

function openSocket({ host, port }: { host: string; port: number }, opening: Opening): Connection {
  const socket = connectTcp({ host, port, noDelay: true });
  socket.setTimeout(TCP_CONNECT_MS, () => socket.destroy(new Error(`${host}:${port} does not answer`)));
  socket.on("connect", () => {
    socket.setTimeout(0);
    opening.opened();
  });
  socket.on("data", opening.data);
  socket.on("error", (error) => opening.ended(error.message));
  socket.on("close", () => opening.ended("the serial server has closed the connection"));
  return {
    write(bytes) {
      if (socket.writableLength > MAX_UNSENT_BYTES) return opening.ended("the serial server takes no bytes");
      socket.write(bytes);
    },
    async close() {
      socket.destroy();
    },
  };
}
