/** The journal's thread. Group commit: while one transaction runs, what arrives waits in the port; then all of it becomes
 *  the next one, so a slow disk makes larger groups instead of a longer queue. Started by host.ts. */
import { flushCompileCache } from "node:module";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { toPortable } from "./portable.ts";
import { type Operation, openStore, type StoreOptions } from "./store.ts";

/** Bounds one transaction's time. */
const MAX_GROUP = 1024;
/** Room for the log is made in pauses of this length, a checkpoint waits for this much quiet … */
const PAUSE_MS = 50;
const QUIET_MS = 250;
/** … but not longer than the log's room lasts, which is looked at after so many groups. */
const GROUPS_BETWEEN_LOOKS = 32;

const port = parentPort;
if (port === null) throw new Error("hub/journal/worker.ts is started by hub/journal/host.ts");

function start(from: NonNullable<typeof port>): void {
  const store = openStore(workerData as StoreOptions);
  let groups = 0;
  let quiet: NodeJS.Timeout | undefined;
  const rest = (quietMs: number) => {
    const grown = store.makeRoom();
    if (quietMs >= QUIET_MS) store.checkpoint();
    if (grown || quietMs < QUIET_MS) quiet = setTimeout(rest, PAUSE_MS, quietMs + PAUSE_MS);
  };
  from.postMessage({ opened: { head: store.head, damage: store.damage, progress: store.progress } });
  // now, since this thread may never end but by a power cut; what is kept already is not written again
  flushCompileCache();
  from.on("message", (first: readonly Operation[] | "close") => {
    const operations: Operation[] = [];
    let message: readonly Operation[] | "close" | undefined = first;
    while (message !== undefined && message !== "close") {
      operations.push(...message);
      message = operations.length < MAX_GROUP ? receiveMessageOnPort(from)?.message : undefined;
    }
    if (operations.length > 0) from.postMessage({ outcomes: store.run(operations).map(toPortable) });
    clearTimeout(quiet);
    if (message === "close") {
      store.close();
      from.close();
      return;
    }
    if (++groups % GROUPS_BETWEEN_LOOKS === 0) store.checkpoint("full");
    quiet = setTimeout(rest, PAUSE_MS, PAUSE_MS);
  });
}

try {
  start(port);
} catch (error) {
  port.postMessage({ failed: toPortable({ ok: false, error }) });
  port.close();
}
