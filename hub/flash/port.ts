/** A board's cable: a serial port or PTY by its path, or a serial server by tcp://HOST:PORT. */
import { connect as connectTcp } from "node:net";
import type { ByteStream } from "./board.ts";

/** Of Espruino's console on a UART; an ESP32 has 115,200, and a USB port ignores it. */
export const DEFAULT_BAUD = 9_600;
const CONNECT_MS = 5_000;
const TCP = /^tcp:\/\/(\[[0-9a-f:]+\]|[\w.-]+):(\d{1,5})$/i;

/** Rejects with the operating system's reason when it cannot be opened. */
export async function openPort(path: string, baudRate = DEFAULT_BAUD): Promise<ByteStream> {
  const [, host, port] = TCP.exec(path) ?? [];
  return host === undefined
    ? openSerial(path, baudRate)
    : openSocket(host.replace(/[[\]]/g, ""), Number(port));
}

async function openSerial(path: string, baudRate: number): Promise<ByteStream> {
  const { SerialPort } = await import("serialport");
  // a board slows the line by XON and XOFF
  const port = new SerialPort({ path, baudRate, autoOpen: false, xon: true, xoff: true });
  const ends = endListeners();
  port.on("close", () => ends.tell("the adapter is gone"));
  port.on("error", (error) => ends.tell(error.message));
  await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())));
  return {
    write: (bytes) => void (port.isOpen && port.write(bytes)),
    onData: (listener) => void port.on("data", listener),
    onEnd: ends.add,
    close: () => new Promise((closed) => (port.isOpen ? port.close(() => closed()) : closed())),
  };
}

async function openSocket(host: string, port: number): Promise<ByteStream> {
  const socket = connectTcp({ host, port, noDelay: true });
  const ends = endListeners();
  socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error(`${host}:${port} does not answer`)));
  socket.on("close", () => ends.tell("the serial server has closed the connection"));
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", resolve);
  });
  socket.setTimeout(0);
  socket.on("error", (error) => ends.tell(error.message));
  return {
    write: (bytes) => void (socket.writable && socket.write(bytes)),
    onData: (listener) => void socket.on("data", listener),
    onEnd: ends.add,
    close: async () => void socket.destroy(),
  };
}

function endListeners() {
  const listeners: ((reason: string) => void)[] = [];
  let ended: string | null = null;
  return {
    add(listener: (reason: string) => void) {
      listeners.push(listener);
      if (ended !== null) listener(ended);
    },
    tell(reason: string) {
      ended ??= reason;
      for (const listener of listeners) listener(reason);
    },
  };
}
