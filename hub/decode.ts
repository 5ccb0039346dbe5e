/** `tugma decode`: says what a frame or record means. Keys come from a file, never from the command line, which others
 *  on the machine can read. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { explain, type FrameKeys } from "./explain.ts";

interface Io {
  print(line: string): void;
  printError(line: string): void;
}

const USAGE = `usage: npx tugma decode BYTES [--json] [--keys FILE]
  BYTES   hex, base64, base64url, @FILE, or - for standard input
  FILE    JSON with any of nwkSKey, appSKey, appKey (hex), fCntHigh: to check MICs and decrypt`;

const HEX = /^(?:[0-9a-fA-F]{2}[\s:]*)+$/;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** Exit status 0; 64 for a wrong command line, 65 when the bytes are of no known format, 66 when a file cannot be read. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    io.printError(`decode: ${(error as Error).message}\n${USAGE}`);
    return 64;
  }
  const [text] = parsed.positionals;
  if (text === undefined || parsed.positionals.length > 1) {
    io.printError(USAGE);
    return 64;
  }
  let bytes: Uint8Array | undefined;
  let keys: FrameKeys;
  try {
    bytes = readBytes(text);
    keys = parsed.values.keys === undefined ? {} : JSON.parse(readFileSync(parsed.values.keys, "utf8"));
  } catch (error) {
    io.printError(`decode: ${(error as Error).message}`);
    return 66;
  }
  if (bytes === undefined) {
    io.printError("decode: neither hex (an even number of digits) nor base64; a file is named with @FILE");
    return 65;
  }
  const readings = explain(bytes, keys);
  if (parsed.values.json) io.print(JSON.stringify({ length: bytes.length, readings }));
  else for (const line of describe(bytes, readings)) io.print(line);
  return readings.length > 0 ? 0 : 65;
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: "boolean" }, keys: { type: "string" } },
  });
}

function readBytes(text: string): Uint8Array | undefined {
  if (text === "-") return fromText(readFileSync(0));
  if (text.startsWith("@")) return fromText(readFileSync(text.slice(1)));
  return fromText(Buffer.from(text));
}

/** A file may hold the bytes themselves or their text. */
function fromText(content: Buffer): Uint8Array | undefined {
  const text = content.toString("latin1").trim();
  if (HEX.test(text)) return Buffer.from(text.replace(/[\s:]/g, ""), "hex");
  if (BASE64.test(text)) return Buffer.from(text, "base64");
  return content.some((byte) => byte < 0x09 || byte > 0x7e) ? content : undefined;
}

function describe(bytes: Uint8Array, readings: ReturnType<typeof explain>): string[] {
  if (readings.length === 0)
    return [`${bytes.length} bytes of no format known here (frames and records are read strictly)`];
  return readings.flatMap(({ format, notes, value }) => [
    `${format} (${bytes.length} bytes)`,
    ...notes.map((note) => `  ${note}`),
    ...JSON.stringify(value, null, 2)
      .split("\n")
      .map((line) => `  ${line}`),
  ]);
}
