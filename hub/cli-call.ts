/** What the hub's commands have in common: their call, and the errors that decide the exit status. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { type ParseArgsConfig, parseArgs } from "node:util";

export interface CliIo {
  print(line: string): void;
  printError(line: string): void;
  /** Aborted when the command should end. */
  readonly signal: AbortSignal;
}

/** A wrong command line; the message says what is right. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What the command needs is not there now. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}

export interface Call {
  readonly positionals: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  /** The hub's folder. */
  readonly dir: string;
  readonly io: CliIo;
}

export const DEFAULT_DIR = "data/hub";

/** Throws a UsageError for options that do not exist. */
export function parseCall(
  args: readonly string[],
  options: NonNullable<ParseArgsConfig["options"]>,
  io: CliIo,
): Call {
  try {
    const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true });
    const flat = values as Record<string, string | boolean | undefined>;
    return { positionals, values: flat, dir: path.resolve(textOf(flat, "dir") ?? DEFAULT_DIR), io };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

export function textOf(values: Call["values"], name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

/** A secret's line from the file that `option` names, or from the standard input: an argument list can be read by others
 *  on the machine. Throws a UsageError when there is nothing to read. `what` is asked for at a terminal. */
export function readSecret({ values, io }: Call, option: string, what: string): string {
  const file = textOf(values, option);
  if (file === undefined && process.stdin.isTTY) io.printError(`${what}:`);
  try {
    return (
      readFileSync(file ?? process.stdin.fd, "utf8")
        .split("\n")[0]
        ?.trim() ?? ""
    );
  } catch (cause) {
    throw new UsageError(
      `${what}: ${(cause as Error).message}; give it on the standard input or with --${option} FILE`,
    );
  }
}
