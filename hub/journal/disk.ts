/** What the journal says when the disk does not take a write. Nothing of that write is acknowledged or visible. */

/** "full": no space left. "readOnly": the file system or file refuses writes. "io": the medium failed. */
export type DiskTrouble = "full" | "readOnly" | "io";

export class DiskRefused extends Error {
  override readonly name = "DiskRefused";
  readonly trouble: DiskTrouble;

  constructor(trouble: DiskTrouble, message: string) {
    super(message);
    this.trouble = trouble;
  }
}

/** SQLite primary result codes, https://sqlite.org/rescode.html */
const TROUBLE: Readonly<Record<number, DiskTrouble>> = {
  8: "readOnly",
  10: "io",
  13: "full",
  14: "readOnly",
};

/** A DiskRefused for an error of node:sqlite that the disk caused; any other error as it is: a bug of ours. */
export function asDiskRefused(error: unknown): unknown {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return error;
  const trouble = TROUBLE[error.errcode & 0xff];
  return trouble === undefined
    ? error
    : new DiskRefused(trouble, `journal: the disk refused: ${error.message}`);
}
