import { openJournal, openJournalInThread } from "../../../hub/journal/host.ts";
import { journalContract } from "./contract.ts";

journalContract("worker thread", openJournal);
journalContract("in this thread", openJournalInThread);
