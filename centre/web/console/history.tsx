/** What has happened to the incident, oldest first, one line each. */
import type { HistoryEntry, Incident } from "../../incidents/incident.ts";
import { causeText } from "./cause.ts";
import { centreMs } from "./picture.ts";
import { momentText } from "./time.ts";
import { words } from "./words/words.ts";

export function History({ incident }: { incident: Incident }) {
  const w = words.value;
  return (
    <section class="block history">
      <h3>{w.card.history}</h3>
      <ol>
        {incident.history.map((entry, i) => (
          // history only grows, so the position is an identity
          <li key={`${incident.id} ${i}`} class={`is-${entry.type}`}>
            <time>{momentText(entry.atMs, centreMs.value, w)}</time>
            <span>
              {w.history[entry.type](entry.count)}
              {entry.by !== null && <span class="soft"> · {entry.by}</span>}
              <EntryText entry={entry} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function EntryText({ entry }: { entry: HistoryEntry }) {
  if (entry.text === null || entry.text === "") return null;
  return <q>{entry.type === "closed" ? causeText(entry.text, words.value) : entry.text}</q>;
}
