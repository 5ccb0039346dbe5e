/** Finds the one place of a record in its hub's chain and stores it there, inside the transaction of the caller. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { blob, hexOf } from "./columns.ts";
import type { AppendResult, Extent, LedgerRecord, Outcome, Placement } from "./ledger.ts";
import { packMarks } from "./marks.ts";

interface HubState {
  readonly no: number;
  readonly genesis: string;
  complete: number;
  contiguous: number;
  head: number;
  headHash: string;
  headBoot: number;
}

interface Row {
  index: number;
  hash: string;
  previous: string;
  boot: number;
  receivedMs: number;
}

export interface Chains {
  append(records: readonly LedgerRecord[]): AppendResult;
  /** Drops what is kept in memory: after a transaction that was rolled back. */
  forget(): void;
}

/** `nextIndex` hands out the ledger's index, strictly increasing. */
export function createChains(db: DatabaseSync, nextIndex: () => number): Chains {
  const hubs = new Map<string, HubState>();
  const sql = prepare(db);

  function hubOf(id: string): HubState {
    const known = hubs.get(id);
    if (known !== undefined) return known;
    const row = sql.hub.get(id);
    if (row === undefined) throw new Error(`ledger: hub ${id} is not enrolled`);
    const state: HubState = {
      no: Number(row["no"]),
      genesis: hexOf(row["genesis"]),
      complete: Number(row["complete"]),
      contiguous: Number(row["contiguous"]),
      head: Number(row["head"]),
      headHash: hexOf(row["head_hash"]),
      headBoot: Number(row["head_boot"]),
    };
    hubs.set(id, state);
    return state;
  }

  function rowAt(hub: HubState, sequence: number): Row | undefined {
    const row = sql.at.get(hub.no, sequence);
    return row === undefined
      ? undefined
      : {
          index: Number(row["idx"]),
          hash: hexOf(row["hash"]),
          previous: hexOf(row["previous"]),
          boot: Number(row["boot"]),
          receivedMs: Number(row["received_ms"]),
        };
  }

  function predecessor(hub: HubState, sequence: number): Pick<Row, "hash" | "boot"> | undefined {
    if (sequence === 1) return { hash: hub.genesis, boot: 0 };
    if (sequence === hub.head + 1) return { hash: hub.headHash, boot: hub.headBoot };
    return sequence > hub.head ? undefined : rowAt(hub, sequence - 1);
  }

  function placementOf(hub: HubState, record: LedgerRecord): Placement {
    const before = predecessor(hub, record.sequence);
    const after = record.sequence < hub.head ? rowAt(hub, record.sequence + 1) : undefined;
    return {
      afterGap: before === undefined,
      chain: before === undefined ? "pending" : before.hash === record.previous ? "linked" : "broken",
      boot:
        before === undefined || before.boot === record.boot || record.sequence === 1
          ? "same"
          : record.boot > before.boot
            ? "restart"
            : "back",
      successor: after === undefined ? null : after.previous === record.hash ? "linked" : "broken",
    };
  }

  function advance(hub: HubState, record: LedgerRecord, placement: Placement): void {
    if (record.sequence > hub.head) {
      hub.head = record.sequence;
      hub.headHash = record.hash;
      hub.headBoot = record.boot;
    }
    if (record.sequence !== hub.contiguous + 1) return;
    if (placement.chain === "linked" && hub.complete === record.sequence - 1) hub.complete = record.sequence;
    hub.contiguous = record.sequence;
    let hash = record.hash;
    while (hub.contiguous < hub.head) {
      const next = rowAt(hub, hub.contiguous + 1);
      if (next === undefined) return;
      if (next.previous === hash && hub.complete === hub.contiguous) hub.complete += 1;
      hub.contiguous += 1;
      hash = next.hash;
    }
  }

  function appendOne(record: LedgerRecord): Outcome {
    const hub = hubOf(record.hub);
    const existing = record.sequence <= hub.head ? rowAt(hub, record.sequence) : undefined;
    if (existing?.hash === record.hash)
      return { type: "duplicate", index: existing.index, receivedMs: existing.receivedMs };
    if (existing !== undefined) return equivocation(sql, hub, record, nextIndex);
    const placement = placementOf(hub, record);
    const index = nextIndex();
    const marks = packMarks(placement, record.badTime);
    const { sequence, boot, receivedMs, bytes } = record;
    sql.insert.run(
      index,
      hub.no,
      sequence,
      blob(record.hash),
      blob(record.previous),
      boot,
      receivedMs,
      marks,
      bytes,
    );
    advance(hub, record, placement);
    return { type: "stored", index, placement };
  }

  return {
    append(records) {
      const touched = new Set<string>();
      const outcomes = records.map((record) => {
        touched.add(record.hub);
        return appendOne(record);
      });
      const extents: Record<string, Extent> = {};
      for (const id of touched) {
        const { no, complete, contiguous, head, headHash, headBoot } = hubOf(id);
        sql.extent.run(complete, contiguous, head, blob(headHash), headBoot, no);
        extents[id] = { complete, contiguous, head };
      }
      return { outcomes, extents };
    },
    forget: () => hubs.clear(),
  };
}

function equivocation(
  sql: Statements,
  hub: HubState,
  record: LedgerRecord,
  nextIndex: () => number,
): Outcome {
  const hash = blob(record.hash);
  const kept = sql.contradiction.get(hub.no, record.sequence, hash);
  if (kept !== undefined) {
    return {
      type: "equivocation",
      index: Number(kept["idx"]),
      receivedMs: Number(kept["received_ms"]),
      known: true,
    };
  }
  const index = nextIndex();
  sql.contradict.run(index, hub.no, record.sequence, hash, record.receivedMs, record.bytes);
  return { type: "equivocation", index, receivedMs: record.receivedMs, known: false };
}

type Statements = Record<"hub" | "at" | "insert" | "extent" | "contradiction" | "contradict", StatementSync>;

function prepare(db: DatabaseSync): Statements {
  return {
    hub: db.prepare("SELECT * FROM hubs WHERE id = ?"),
    at: db.prepare(
      "SELECT idx, hash, previous, boot, received_ms FROM records WHERE hub_no = ? AND sequence = ?",
    ),
    insert: db.prepare("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    extent: db.prepare(
      "UPDATE hubs SET complete = ?, contiguous = ?, head = ?, head_hash = ?, head_boot = ? WHERE no = ?",
    ),
    contradiction: db.prepare(
      "SELECT idx, received_ms FROM equivocations WHERE hub_no = ? AND sequence = ? AND hash = ?",
    ),
    contradict: db.prepare("INSERT INTO equivocations VALUES (?, ?, ?, ?, ?, ?)"),
  };
}
