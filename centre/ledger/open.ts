/** Opens the embedded ledger: in a worker thread (a sync of the disk must not hold up reception), or in this thread. */
import { Worker } from "node:worker_threads";
import { LEDGER_CALLS, type Ledger, type LedgerCall } from "./ledger.ts";
import { type Answer, type Call, runGroup } from "./serve.ts";
import { GROUPS_BETWEEN_LOOKS, openSqliteLedger, type SqliteOptions } from "./sqlite.ts";

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

type Send = (name: LedgerCall, args: readonly unknown[]) => Promise<unknown>;

/** Settles when the ledger can be used. Rejects with the reason when the file cannot be opened. */
export async function openLedger(options: SqliteOptions): Promise<Ledger> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), {
    workerData: options,
    // it holds one group at a time
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
  });
  await new Promise<void>((resolve, reject) => {
    worker.once("message", () => resolve());
    worker.once("error", reject);
  });
  const link = createLink((calls) => worker.postMessage(calls));
  worker.on("message", link.answered);
  worker.on("error", link.fail);
  const ended = new Promise<void>((resolve) => {
    worker.once("exit", () => {
      link.fail(new Error("the ledger is closed"));
      resolve();
    });
  });
  return ledgerOver(link.send, async () => {
    link.flush();
    worker.postMessage("close");
    await ended;
  });
}

/** The same ledger without a thread, for worlds in virtual time and for reading beside a stopped centre. */
export function openLedgerInThread(options: SqliteOptions): Ledger {
  const sqlite = openSqliteLedger(options);
  let open = true;
  let groups = 0;
  const link = createLink((calls) => {
    link.answered(
      open
        ? runGroup(sqlite, calls)
        : calls.map(({ id }): Answer => ({ id, ok: false, message: "the ledger is closed" })),
    );
    if (open && ++groups % GROUPS_BETWEEN_LOOKS === 0) sqlite.checkpoint("full");
  });
  return ledgerOver(link.send, async () => {
    link.flush();
    if (open) sqlite.close();
    open = false;
  });
}

/** Calls of one turn travel together; answers find their promises again. */
function createLink(post: (calls: Call[]) => void) {
  const waiting = new Map<number, Waiting>();
  let calls: Call[] = [];
  let failure: Error | undefined;
  let id = 0;
  const flush = () => {
    if (calls.length === 0) return;
    const group = calls;
    calls = [];
    post(group);
  };
  const send: Send = (name, args) =>
    new Promise((resolve, reject) => {
      if (failure !== undefined) return reject(failure);
      id += 1;
      waiting.set(id, { resolve, reject });
      calls.push({ id, name, args });
      if (calls.length === 1) queueMicrotask(flush);
    });
  const answered = (answers: readonly Answer[]) => {
    for (const answer of answers) {
      const call = waiting.get(answer.id);
      waiting.delete(answer.id);
      if (answer.ok) call?.resolve(answer.value);
      else call?.reject(new Error(answer.message));
    }
  };
  const fail = (error: Error) => {
    failure ??= error;
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  };
  return { send, flush, answered, fail };
}

function ledgerOver(send: Send, dispose: () => Promise<void>): Ledger {
  const proxy: Partial<Record<LedgerCall, unknown>> = {};
  for (const name of LEDGER_CALLS) proxy[name] = (...args: readonly unknown[]) => send(name, args);
  // each name is bound to a method of the same arguments and answer by the engine's SyncLedger
  return {
    ...(proxy as unknown as Omit<Ledger, typeof Symbol.asyncDispose>),
    [Symbol.asyncDispose]: dispose,
  };
}
