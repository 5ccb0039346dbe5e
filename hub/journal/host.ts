/** Opens the journal: in a thread of its own, so that no fsync ever blocks the alarm road, or in this thread for worlds
 *  with virtual time. Both give the same Journal over the same store. */
import { Worker } from "node:worker_threads";
import { createJournal, type Opened, type Submit } from "./client.ts";
import type { Journal, Stamp } from "./journal.ts";
import { fromPortable, type PortableOutcome } from "./portable.ts";
import { type Operation, type Outcome, openStore, type StoreOptions } from "./store.ts";

export interface JournalOptions extends StoreOptions {
  /** The time an event gets; asked once per append. */
  stamp(): Stamp;
  /** The thread has died of a bug: nothing can be stored any more. The process should end and be started again. */
  onFatal?(error: Error): void;
}

/** The store in this thread: every call is one transaction, finished before it returns. */
export async function openJournalInThread(options: JournalOptions): Promise<Journal> {
  const store = openStore(options);
  const submit: Submit = async (operation) => {
    const [outcome] = store.run([operation]);
    return settle(outcome);
  };
  return createJournal({ ...options, submit, opened: store, lazyMs: 0, close: async () => store.close() });
}

type FromWorker =
  | { readonly opened: Opened }
  | { readonly failed: PortableOutcome }
  | { readonly outcomes: readonly PortableOutcome[] };

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** What the worker makes lives for one group. V8 would let its nursery grow to 48 MB and never give it back. */
const YOUNG_MB = 6;

/** How long counters that need not be durable at once may stay in memory. */
const LAZY_MS = 500;

/** The store in a worker thread with group commit. Settles when the file is open and the boot number is on disk. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { path, genesis, hub, realm, configHash, privateKeyPem } = options;
  const workerData: StoreOptions = { path, genesis, hub, realm, configHash, privateKeyPem };
  const worker = new Worker(new URL("worker.ts", import.meta.url), {
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const waiting: Waiting[] = [];
  let dead: Error | null = null;
  const opened = await firstMessage(worker);

  worker.on("message", (message: FromWorker) => {
    if (!("outcomes" in message)) return;
    // The store answers in the order in which it was asked.
    const answered = waiting.splice(0, message.outcomes.length);
    for (const [index, outcome] of message.outcomes.entries()) {
      const known = fromPortable(outcome);
      if (known.ok) answered[index]?.resolve(known.value);
      else answered[index]?.reject(known.error);
    }
  });
  const die = (error: Error) => {
    if (dead !== null) return;
    dead = error;
    for (const one of waiting.splice(0)) one.reject(error);
    options.onFatal?.(error);
  };
  worker.on("error", die);
  const submit = createOutbox((operations, settled) => {
    if (dead !== null) {
      for (const one of settled) one.reject(dead);
      return;
    }
    waiting.push(...settled);
    worker.postMessage(operations);
  });
  const close = async () => {
    dead ??= new Error("journal: it is closed");
    worker.postMessage("close");
    await ended;
  };
  worker.once("exit", () => die(new Error("journal: its thread has ended")));
  return createJournal({ ...options, submit, opened, lazyMs: LAZY_MS, close });
}

/** Collects what one turn of the event loop submits into one message. */
function createOutbox(post: (operations: Operation[], waiting: Waiting[]) => void): Submit {
  let operations: Operation[] = [];
  let waiting: Waiting[] = [];
  const flush = () => {
    const posted = operations;
    const settled = waiting;
    operations = [];
    waiting = [];
    post(posted, settled);
  };
  return (operation) =>
    new Promise((resolve, reject) => {
      if (operations.length === 0) queueMicrotask(flush);
      operations.push(operation);
      waiting.push({ resolve, reject });
    });
}

function firstMessage(worker: Worker): Promise<Opened> {
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (message: FromWorker) => {
      worker.off("error", reject);
      if ("opened" in message) resolve(message.opened);
      else if ("failed" in message) settle(fromPortable(message.failed)).catch(reject);
    });
  });
}

async function settle(outcome: Outcome | undefined): Promise<unknown> {
  if (outcome === undefined) throw new Error("journal: an operation without an outcome");
  if (!outcome.ok) throw outcome.error;
  return outcome.value;
}
