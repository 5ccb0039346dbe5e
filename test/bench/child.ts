/** The process of one measurement. Started by isolate.ts, which tells it which. */
import type { Said, Task } from "./isolate.ts";
import type { Measure } from "./measure.ts";

/** A measurement that has not ended so long after it was asked to is left; what it started ends with this process. */
const END_MS = 3_000;

const stop = new AbortController();
const end = () => {
  stop.abort();
  setTimeout(() => process.exit(1), END_MS).unref();
};
process.once("SIGTERM", end);
process.once("SIGINT", end);

function say(said: Said): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) return resolve();
    process.send(said, undefined, undefined, () => resolve());
  });
}

async function work({ module, ...task }: Task): Promise<void> {
  try {
    const { measure } = (await import(new URL(module, import.meta.url).href)) as { measure: Measure };
    const measured = await measure({
      ...task,
      signal: stop.signal,
      progress: (words) => void say({ progress: words }),
    });
    await say({ measured });
  } catch (error) {
    await say({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
  process.exit();
}

process.once("message", (task: Task) => void work(task));
// whoever asked is gone, or has the answer
process.once("disconnect", end);
