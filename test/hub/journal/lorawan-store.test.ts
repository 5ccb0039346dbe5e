import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { openJournal, openJournalInThread } from "../../../hub/journal/host.ts";
import type { Journal } from "../../../hub/journal/journal.ts";
import { describeStore } from "../lorawan/store-contract.ts";
import { journalOptions } from "./fixture.ts";

for (const [host, openHost] of [
  ["journal, worker thread", openJournal],
  ["journal, in this thread", openJournalInThread],
] as const) {
  describeStore(host, () => {
    let dir = "";
    let journal: Journal | undefined;
    const openFile = async () => {
      journal = await openHost(journalOptions(path.join(dir, "journal.sqlite")));
      return journal;
    };
    return {
      open() {
        dir = mkdtempSync(path.join(tmpdir(), "tugma-store-"));
        return openFile();
      },
      async reopen() {
        await journal?.[Symbol.asyncDispose]();
        return openFile();
      },
      settleLazy: async () => journal?.flush(),
      async close() {
        await journal?.[Symbol.asyncDispose]();
        rmSync(dir, { recursive: true });
      },
    };
  });
}
