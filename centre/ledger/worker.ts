/** The ledger's thread. Takes all messages that wait, runs them as one group, answers in one message. */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { type Call, runGroup } from "./serve.ts";
import { GROUPS_BETWEEN_LOOKS, openSqliteLedger, type SqliteOptions } from "./sqlite.ts";

/** A group's answers wait for its commit, so a group is not grown without bound. */
const MAX_GROUP_CALLS = 512;
/** Room for the log is made in pauses of this length, a checkpoint waits for this much quiet, or
 *  until the log's room is used up. */
const PAUSE_MS = 50;
const QUIET_MS = 250;

const port = parentPort;
if (port === null) throw new Error("ledger/worker.ts runs as a worker thread only");
const ledger = openSqliteLedger(workerData as SqliteOptions);
port.postMessage("open");
let groups = 0;
let quiet: NodeJS.Timeout | undefined;

function rest(quietMs: number): void {
  const grown = ledger.makeRoom();
  if (quietMs >= QUIET_MS) ledger.checkpoint();
  if (grown || quietMs < QUIET_MS) quiet = setTimeout(rest, PAUSE_MS, quietMs + PAUSE_MS);
}

port.on("message", (first: Call[] | "close") => {
  const calls: Call[] = [];
  let next: Call[] | "close" | undefined = first;
  while (next !== undefined && next !== "close") {
    calls.push(...next);
    next =
      calls.length < MAX_GROUP_CALLS
        ? (receiveMessageOnPort(port)?.message as Call[] | "close" | undefined)
        : undefined;
  }
  if (calls.length > 0) port.postMessage(runGroup(ledger, calls));
  clearTimeout(quiet);
  if (next === "close") {
    ledger.close();
    port.close();
    return;
  }
  if (++groups % GROUPS_BETWEEN_LOOKS === 0) ledger.checkpoint("full");
  quiet = setTimeout(rest, PAUSE_MS, PAUSE_MS);
});
