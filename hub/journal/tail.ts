/** Where the chain ends, found without reading all of it. */
import type { DatabaseSync } from "node:sqlite";
import { isCodecError } from "../../protocols/device/codec-error.ts";
import { type EventRecord, openEvent } from "../../protocols/event.ts";
import { type Algorithm, createVerifyingKey } from "../../protocols/signature.ts";

export interface TailOptions {
  readonly genesis: string;
  readonly realm: string;
  /** Hex, the hub's own. */
  readonly publicKey: string;
  readonly alg: Algorithm;
}

export interface Tail {
  readonly sequence: number;
  readonly hash: string;
  /** What is wrong with the newest records, in words. The chain goes on all the same: an alarm must not wait for repair,
   *  and the centre sees the break. */
  readonly damage: readonly string[];
}

const CHECKED = 16;

/** The newest record, and whether the last few are signed, hashed and linked as they should be. */
export function checkTail(database: DatabaseSync, options: TailOptions): Tail {
  const rows = database.prepare("SELECT * FROM record ORDER BY sequence DESC LIMIT ?").all(CHECKED).reverse();
  const key = createVerifyingKey(options.publicKey, options.alg);
  const keyOf = (kid: string) => (kid === key.kid ? key : undefined);
  const damage: string[] = [];
  let tail = { sequence: 0, hash: options.genesis };
  for (const [index, row] of rows.entries()) {
    const sequence = Number(row["sequence"]);
    const hash = Buffer.from(row["hash"] as Uint8Array).toString("hex");
    const flaw = flawOf(row["bytes"] as Uint8Array, (bytes) => openEvent(bytes, options.realm, keyOf), {
      sequence,
      hash,
      previous: index > 0 || sequence === 1 ? tail : null,
    });
    if (flaw !== null) damage.push(`record ${sequence}: ${flaw}`);
    tail = { sequence, hash };
  }
  return { ...tail, damage };
}

/** What is wrong with one row, or null. `previous` null: not known. */
export function flawOf(
  bytes: Uint8Array,
  open: (bytes: Uint8Array) => { event: EventRecord; hash: string },
  expected: { sequence: number; hash: string; previous: { sequence: number; hash: string } | null },
): string | null {
  try {
    const { event, hash } = open(bytes);
    if (hash !== expected.hash) return "its bytes do not match its stored hash";
    if (event.sequence !== expected.sequence) return `it calls itself ${event.sequence}`;
    if (expected.previous === null) return null;
    if (event.sequence !== expected.previous.sequence + 1) return `it follows ${expected.previous.sequence}`;
    return event.previous === expected.previous.hash ? null : "it does not name the record before it";
  } catch (error) {
    if (isCodecError(error)) return error.message;
    throw error;
  }
}
