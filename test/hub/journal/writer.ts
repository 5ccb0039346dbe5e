/** A process that writes to a journal until it is killed, and says what was acknowledged. Started by durability.test.ts. */
import { openJournal } from "../../../hub/journal/host.ts";
import { journalOptions, pressDraft } from "./fixture.ts";

const [, , file = ""] = process.argv;
const journal = await openJournal(journalOptions(file));
for (let writer = 0; writer < 4; writer++) {
  void (async () => {
    for (let i = 0; ; i++) {
      const { sequence, hash } = await journal.append(pressDraft(i & 0xffff));
      process.send?.({ sequence, hash });
    }
  })();
}
