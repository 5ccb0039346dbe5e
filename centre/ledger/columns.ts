/** BLOB columns in and out. */

/** A BLOB column's bytes. */
export function bytesOf(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new Error("ledger: a column is not a BLOB");
  return value;
}

/** A BLOB column as lower-case hex. */
export function hexOf(value: unknown): string {
  const { buffer, byteOffset, byteLength } = bytesOf(value);
  return Buffer.from(buffer, byteOffset, byteLength).toString("hex");
}

/** Lower-case hex as a BLOB. */
export function blob(hex: string): Uint8Array {
  return Buffer.from(hex, "hex");
}
