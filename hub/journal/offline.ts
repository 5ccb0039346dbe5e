/** The journal of a hub that is not running, for the command line: devices in and out, and the whole chain checked. */
import { isCodecError } from "../../protocols/device/codec-error.ts";
import { openEvent } from "../../protocols/event.ts";
import { openReceipt } from "../../protocols/receipt.ts";
import type { VerifyingKey } from "../../protocols/signature.ts";
import { createDeviceTables, type DeviceTables } from "./devices.ts";
import { asDiskRefused } from "./disk.ts";
import { openDatabase, openForReading } from "./schema.ts";
import { flawOf } from "./tail.ts";

/** Runs `action` on the device tables in one transaction. Throws a DiskRefused, or what `action` throws. */
export function withDeviceTables<T>(path: string, action: (tables: DeviceTables) => T): T {
  const database = openDatabase(path);
  try {
    database.exec("BEGIN IMMEDIATE");
    const result = action(createDeviceTables(database));
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw asDiskRefused(error);
  } finally {
    database.close();
  }
}

export interface ChainCheckOptions {
  readonly path: string;
  readonly realm: string;
  readonly genesis: string;
  /** The hub's own public key. */
  readonly hubKey: VerifyingKey;
  /** The centres' receipt keys. */
  readonly centreKeys: readonly VerifyingKey[];
}

export interface ChainCheck {
  readonly records: number;
  readonly receipts: number;
  /** In words, the first hundred. Empty: every record and every receipt is what it should be. */
  readonly flaws: readonly string[];
}

const MAX_FLAWS = 100;

/** Reads the whole file, also while the hub runs. Throws when it cannot be opened. */
export function checkChain(options: ChainCheckOptions): ChainCheck {
  const { hubKey, centreKeys, realm, genesis } = options;
  const database = openForReading(options.path);
  const flaws: string[] = [];
  const flaw = (what: string) => void (flaws.length < MAX_FLAWS && flaws.push(what));
  try {
    let previous = { sequence: 0, hash: genesis };
    const open = (bytes: Uint8Array) =>
      openEvent(bytes, realm, (kid) => (kid === hubKey.kid ? hubKey : undefined));
    for (const row of database.prepare("SELECT * FROM record ORDER BY sequence").iterate()) {
      const sequence = Number(row["sequence"]);
      const hash = Buffer.from(row["hash"] as Uint8Array).toString("hex");
      const wrong = flawOf(row["bytes"] as Uint8Array, open, { sequence, hash, previous });
      if (wrong !== null) flaw(`record ${sequence}: ${wrong}`);
      previous = { sequence, hash };
    }
    const receipts = checkReceipts();
    return { records: previous.sequence, receipts, flaws };
  } finally {
    database.close();
  }

  function checkReceipts(): number {
    let count = 0;
    const hashOf = database.prepare("SELECT hash FROM record WHERE sequence = ?");
    const keyOf = (kid: string) => centreKeys.find((key) => key.kid === kid);
    for (const row of database.prepare("SELECT sequence, bytes FROM receipt ORDER BY id").iterate()) {
      count++;
      try {
        const { receipt } = openReceipt(row["bytes"] as Uint8Array, realm, keyOf);
        const own = hashOf.get(receipt.sequence)?.["hash"] as Uint8Array | undefined;
        const isOwn = own !== undefined && Buffer.from(own).toString("hex") === receipt.recordHash;
        if (!isOwn) flaw(`receipt for record ${receipt.sequence}: it names another hash`);
      } catch (error) {
        if (!isCodecError(error)) throw error;
        flaw(`receipt for record ${row["sequence"]}: ${error.message}`);
      }
    }
    return count;
  }
}
