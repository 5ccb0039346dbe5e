/** Writes files into a board's Storage and proves that they are there: by packets where the board takes them, else line by
 *  line. An identical file is left alone. Nothing is started before everything is verified. */
import { crc32 } from "node:zlib";
import {
  type BoardConsole,
  type ByteStream,
  CONSOLE_TIMING,
  type ConsoleTiming,
  FlashError,
  MAX_PACKET_BYTES,
  openConsole,
  PACKET,
} from "./console.ts";

/** `content`: 8-bit string. */
export interface FlashFile {
  readonly name: string;
  readonly content: string;
}

export interface WriteProgress {
  readonly file: string;
  readonly bytes: number;
  readonly ofBytes: number;
}

/** A board at the end of a cable, stopped and with an empty RAM. */
export interface BoardSession {
  /** As Espruino names it (`process.env.BOARD`). */
  readonly board: string;
  /** Of Espruino: "2v29". */
  readonly version: string;
  /** The board's unique id. */
  readonly serial: string;
  /** The text of its file `identity`; null where there is none. */
  readonly identity: string | null;
  /** Writes what differs, in this order, and verifies all. Returns the names of the files that were written. Throws a
   *  FlashError. */
  write(files: readonly FlashFile[], onProgress: (progress: WriteProgress) => void): Promise<string[]>;
  /** Forgets every file, its sessions and counters with them: it is to be another device. */
  eraseAll(): Promise<void>;
  /** Lets the board go on with what it has. Never rejects. */
  resume(): Promise<void>;
  /** Verifies once more that it is this board with these files, and starts it. Throws a FlashError. */
  start(files: readonly FlashFile[]): Promise<void>;
}

/** Packet uploads came with 2v25. */
const PACKETS_SINCE = [2, 25] as const;
/** Of Storage's file names. */
const MAX_NAME_LENGTH = 28;
/** 256 characters of base64 a line: the input buffer of small boards is 512 bytes. */
const LINE_BYTES = 192;
const WRITES = 3;

/** What a program says that does not come up. */
const FAILED_START = /Uncaught|no identity for this board|LOW_MEMORY|\bMEMORY\b/;

const STORAGE = 'require("Storage")';

/** Stops what runs on the board and asks who it is. Throws a FlashError. */
export async function connectBoard(
  stream: ByteStream,
  timing: ConsoleTiming = CONSOLE_TIMING,
): Promise<BoardSession> {
  const console = openConsole(stream, timing);
  await console.greet();
  const about = await console.ask("[process.env.BOARD,process.env.VERSION,getSerial()]");
  if (!Array.isArray(about) || !about.every((item) => typeof item === "string"))
    throw new FlashError("noConsole", "what answers there is no Espruino board. Check the port");
  // its watches and timers go, and with them whatever could write or speak in between
  await console.listen("reset()", 0);
  await console.greet();
  const [board = "", version = "", serial = ""] = about as string[];
  const identity = await readText(console, "identity");
  return { board, version, serial, identity, ...acts({ console, timing, version, serial }) };
}

interface Connected {
  readonly console: BoardConsole;
  readonly timing: ConsoleTiming;
  readonly version: string;
  readonly serial: string;
}

function acts(connected: Connected): Pick<BoardSession, "write" | "eraseAll" | "resume" | "start"> {
  const { console, timing } = connected;
  return {
    async write(files, onProgress) {
      const written: string[] = [];
      for (const file of files) {
        if (!(await isThere(console, file))) {
          await writeFile(connected, file, onProgress);
          written.push(file.name);
        }
        onProgress({ file: file.name, bytes: file.content.length, ofBytes: file.content.length });
      }
      await verify(connected, files);
      return written;
    },
    async eraseAll() {
      await console.ask(`${STORAGE}.eraseAll()`, 1, timing.eraseMs);
    },
    async resume() {
      await console.listen("load()", 0);
    },
    async start(files) {
      await verify(connected, files);
      const said = await console.listen("load()", timing.startMs);
      const [failure] = FAILED_START.exec(said) ?? [];
      if (failure !== undefined)
        throw new FlashError("notStarting", `its program does not start: ${lineWith(said, failure)}`);
    },
  };
}

/** In several tries; the last one line by line, which needs no more than a console. */
async function writeFile(
  connected: Connected,
  file: FlashFile,
  onProgress: (progress: WriteProgress) => void,
): Promise<void> {
  const { console, version } = connected;
  if (file.name.length > MAX_NAME_LENGTH || file.content === "")
    throw new Error(
      `${file.name}: Storage takes names of 1 to ${MAX_NAME_LENGTH} characters and no empty file`,
    );
  const progress = (bytes: number) => onProgress({ file: file.name, bytes, ofBytes: file.content.length });
  for (let write = 1; write <= WRITES; write++) {
    const byPacket = isAtLeast(version, PACKETS_SINCE) && write < WRITES;
    await (byPacket ? sendPackets : sendLines)(console, file, progress);
    if (await isThere(console, file)) return;
  }
  // a board takes packets that it has no room for, and says so nowhere
  if ((await console.ask(crcOf(file.name))) === null) throw storageFull(file.name);
  throw new FlashError(
    "badChecksum",
    `${file.name}: what the board has is not what was sent, ${WRITES} times over. Try another cable`,
  );
}

async function sendPackets(
  console: BoardConsole,
  { name, content }: FlashFile,
  progress: (bytes: number) => void,
): Promise<void> {
  const header = JSON.stringify({ fn: name, s: content.length });
  if (!(await console.packet(PACKET.fileSend, header))) return console.greet();
  for (let at = 0; at < content.length; at += MAX_PACKET_BYTES) {
    progress(at);
    const piece = content.slice(at, at + MAX_PACKET_BYTES);
    if (!(await console.packet(PACKET.data, piece))) return console.greet();
  }
  // what the last packet printed is behind us when this is answered
  await console.greet();
}

async function sendLines(
  console: BoardConsole,
  { name, content }: FlashFile,
  progress: (bytes: number) => void,
): Promise<void> {
  try {
    for (let at = 0; at < content.length; at += LINE_BYTES) {
      progress(at);
      const base64 = Buffer.from(content.slice(at, at + LINE_BYTES), "latin1").toString("base64");
      // asked once: a second time the same bytes are refused, and the whole file is sent anew
      await console.ask(
        `${STORAGE}.write(${JSON.stringify(name)},atob("${base64}"),${at},${content.length})`,
        1,
      );
    }
  } catch (error) {
    if (!(error instanceof FlashError) || error.code === "unplugged") throw error;
    if (/Unable to find or create file/.test(error.message)) throw storageFull(name);
    await console.greet();
  }
}

function storageFull(name: string): FlashError {
  return new FlashError(
    "storageFull",
    `${name}: its Storage has no room. Erase it (require("Storage").eraseAll() at its console) and flash again`,
  );
}

function crcOf(name: string): string {
  return `(f=>f===undefined?null:E.CRC32(f))(${STORAGE}.read(${JSON.stringify(name)}))`;
}

async function isThere(console: BoardConsole, { name, content }: FlashFile): Promise<boolean> {
  return (await console.ask(crcOf(name))) === crc32(Buffer.from(content, "latin1"));
}

/** In one question, so that one board answers for all of it. */
async function verify({ console, serial }: Connected, files: readonly FlashFile[]): Promise<void> {
  const answer = await console.ask(`[getSerial(),${files.map(({ name }) => crcOf(name)).join()}]`);
  const [found, ...sums] = Array.isArray(answer) ? (answer as unknown[]) : [];
  if (found !== serial)
    throw new FlashError(
      "swapped",
      `another board is on this port now (${String(found)}, it was ${serial}). Flash both again`,
    );
  const bad = files.find(({ content }, index) => sums[index] !== crc32(Buffer.from(content, "latin1")));
  if (bad !== undefined)
    throw new FlashError("badChecksum", `${bad.name}: it has changed on the board. Flash it again`);
}

/** Null where there is no such file. */
async function readText(console: BoardConsole, name: string): Promise<string | null> {
  const base64 = await console.ask(
    `(f=>f===undefined?null:btoa(f))(${STORAGE}.read(${JSON.stringify(name)}))`,
  );
  return typeof base64 === "string" ? Buffer.from(base64, "base64").toString("latin1") : null;
}

/** Whether Espruino's version ("2v29", "2v29.277") is at least this. */
export function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, isMajor = "-1", isMinor = "0"] = /^(\d+)v(\d+)/.exec(version) ?? [];
  return Number(isMajor) > major || (Number(isMajor) === major && Number(isMinor) >= minor);
}

/** From there to the end of the line, without the terminal's own codes around it. */
function lineWith(text: string, part: string): string {
  return text.slice(text.indexOf(part)).split(/[\r\n]/, 1)[0] ?? part;
}
