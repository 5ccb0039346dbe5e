/** Key files of the centre: private ones with mode 0600, made on the first start and never overwritten. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import path from "node:path";

/** A key file that must not be used as it stands. The message says which one, why, and what to do. */
export class KeyFileError extends Error {
  override readonly name = "KeyFileError";
}

/** Reads a private key. Throws a KeyFileError when others than its owner can read it. */
export function readSecret(file: string): string {
  const mode = statSync(file).mode & 0o777;
  if ((mode & 0o077) !== 0) {
    const shown = mode.toString(8).padStart(4, "0");
    throw new KeyFileError(
      `${file}: mode ${shown}, so others on this machine can read this private key. ` +
        `If nobody has, run: chmod 600 ${file} . If somebody may have, replace the key and enrol the hubs again.`,
    );
  }
  return readFileSync(file, "utf8");
}

/** Reads a private key, or makes it with `create` when there is no such file. */
export function secretFile(file: string, create: () => string): string {
  if (existsSync(file)) return readSecret(file);
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const text = create();
  writeNew(file, text, 0o600);
  return text;
}

/** Reads a public file (a certificate), or makes it with `create` when there is no such file. */
export function publicFile(file: string, create: () => string): string {
  if (existsSync(file)) return readFileSync(file, "utf8");
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const text = create();
  writeNew(file, text, 0o644);
  return text;
}

/** Whole or not at all: a crash in between leaves no half key behind. */
function writeNew(file: string, text: string, mode: number): void {
  const draft = `${file}.new`;
  const fd = openSync(draft, "w", mode);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(draft, file);
}
