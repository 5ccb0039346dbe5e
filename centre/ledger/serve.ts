/** Group commit: every call that waits is run in one transaction with one sync of the disk, and answered after it. A call
 *  that fails undoes itself alone; a disk that refuses fails the whole group, of which then nothing is kept.           */
import type { LedgerCall } from "./ledger.ts";
import { isRead, type SqliteLedger } from "./sqlite.ts";

export interface Call {
  readonly id: number;
  readonly name: LedgerCall;
  readonly args: readonly unknown[];
}

export type Answer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly message: string };

/** Runs the calls in their order. Answers in the same order. */
export function runGroup(ledger: SqliteLedger, calls: readonly Call[]): Answer[] {
  const run = ({ id, name, args }: Call): Answer => {
    // what came over the thread's port was typed by the proxy in open.ts
    const method = ledger.calls[name] as (...args: readonly unknown[]) => unknown;
    return { id, ok: true, value: method(...args) };
  };
  if (calls.every(({ name }) => isRead(name))) return calls.map((call) => attempt(call, run));
  const [only] = calls;
  try {
    if (only !== undefined && calls.length === 1) return [ledger.transaction(() => run(only))];
    return ledger.transaction(() => calls.map((call) => attempt(call, (c) => ledger.nested(() => run(c)))));
  } catch (error) {
    return calls.map(({ id }) => ({ id, ok: false, message: messageOf(error) }));
  }
}

function attempt(call: Call, run: (call: Call) => Answer): Answer {
  try {
    return run(call);
  } catch (error) {
    return { id: call.id, ok: false, message: messageOf(error) };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
