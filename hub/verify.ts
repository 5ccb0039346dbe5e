/** `tugma verify`: checks an evidence file with nothing but the file and, if given, the centre's public key. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { isCodecError } from "../protocols/device/codec-error.ts";
import { verifyEvidence } from "../protocols/evidence.ts";

interface Io {
  print(line: string): void;
  printError(line: string): void;
}

const USAGE = `usage: npx tugma verify FILE [--json] [--centre-key HEX …]
  --centre-key   the centre's receipt key (hex) as you have it from the centre itself: then the file's origin is proven too`;

const SIGN = { ok: "✓", note: "·", flaw: "✗" } as const;

/** Exit status 0 when the file proves what it claims, 65 when it does not, 64 and 66 for a wrong call or unreadable file. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let file: string | undefined;
  let values: { json?: boolean; "centre-key"?: string[] };
  try {
    const parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: "boolean" }, "centre-key": { type: "string", multiple: true } },
    });
    [file] = parsed.positionals;
    values = parsed.values;
  } catch (error) {
    io.printError(`verify: ${(error as Error).message}`);
    file = undefined;
    values = {};
  }
  if (file === undefined) {
    io.printError(USAGE);
    return 64;
  }
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    io.printError(`verify: ${(error as Error).message}`);
    return 66;
  }
  const keys = values["centre-key"];
  try {
    const verdict = verifyEvidence(bytes, keys === undefined ? undefined : { receiptPublicKeys: keys });
    if (values.json) io.print(JSON.stringify(verdict));
    else {
      for (const { level, what } of verdict.findings) io.print(`${SIGN[level]} ${what}`);
      io.print(verdict.ok ? "The file proves what it claims." : "Do not rely on this file.");
    }
    return verdict.ok ? 0 : 65;
  } catch (error) {
    if (!isCodecError(error)) throw error;
    if (values.json) io.print(JSON.stringify({ ok: false, error: error.message }));
    else io.print(`✗ ${error.message}`);
    return 65;
  }
}
