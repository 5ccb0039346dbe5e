/** The ledger's thread. Takes all messages that wait, runs them as one group, answers in one message. */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { type Call, runGroup } from "./serve.ts";
import { openSqliteLedger, type SqliteOptions } from "./sqlite.ts";

/** A group's answers wait for its commit, so a group is not grown without bound. */
const MAX_GROUP_CALLS = 512;

const port = parentPort;
if (port === null) throw new Error("ledger/worker.ts runs as a worker thread only");
const ledger = openSqliteLedger(workerData as SqliteOptions);
port.postMessage("open");

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
  if (next === "close") {
    ledger.close();
    port.close();
  }
});
