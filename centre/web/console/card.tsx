/** The open alarm: where, what, how far it is, what to do next, and what has happened. */
import type { Incident } from "../../incidents/incident.ts";
import { outcome } from "./acts.ts";
import { type ActType, allowedActs } from "./allowed.ts";
import { causeText } from "./cause.ts";
import { detailText } from "./detail.ts";
import { History } from "./history.tsx";
import { ask, take } from "./keys.ts";
import { Ladder } from "./ladder.tsx";
import { centreMs } from "./picture.ts";
import { unbroken } from "./place.ts";
import { Shape, toneOf } from "./shape.tsx";
import { lines, openIncident, operator } from "./state.ts";
import { ageText, momentText } from "./time.ts";
import { words } from "./words/words.ts";

export function CardColumn() {
  const w = words.value;
  const incident = openIncident.value;
  if (!incident) {
    return (
      <main id="card" class="column card-column is-empty" tabIndex={-1}>
        <div class="empty">
          <p class="empty-title">{w.card.none}</p>
          {lines.value.length > 0 && <p class="empty-note">{w.card.noneNote}</p>}
        </div>
      </main>
    );
  }
  return (
    <main
      id="card"
      class={`column card-column ${toneOf(incident)}`}
      tabIndex={-1}
      aria-label={w.kinds[incident.kind]}
    >
      <Head incident={incident} />
      <Ladder incident={incident} />
      <Actions incident={incident} />
      <Marks incident={incident} />
      <Facts incident={incident} />
      <History incident={incident} />
    </main>
  );
}

function Head({ incident }: { incident: Incident }) {
  const w = words.value;
  const { mode } = incident;
  const said = detailText(incident, w);
  const endMs = incident.stageTimes.closed ?? centreMs.value;
  return (
    <header class="card-head">
      {mode !== "real" && (
        <p class="mode-band">
          <b>{w.modes[mode]}</b>
          {mode === "drill" && incident.drill !== null && <span>{w.card.drillName(incident.drill)}</span>}
          <span>{w.modeNotes[mode]}</span>
        </p>
      )}
      <div class="card-title">
        <Shape incident={incident} size={48} />
        <h1>{w.kinds[incident.kind]}</h1>
        <p class="card-age">
          <span>{incident.stage === "new" ? w.queue.waiting : w.queue.open}</span>
          <b>{ageText(endMs - incident.openedMs, w)}</b>
        </p>
      </div>
      {said !== null && <p class="card-detail">{said}</p>}
      <p class="card-place">{unbroken(incident.place.site)}</p>
      <p class="card-zone">{unbroken(incident.place.zone)}</p>
      <p class="card-owner">
        {w.card.opened} {momentText(incident.openedMs, centreMs.value, w)}
        {incident.repeats > 0 && ` · ${w.queue.repeats(incident.repeats)}`}
        {incident.unseen && <b class="again"> · {w.queue.again}</b>}
        {incident.owner !== null && (
          <b> · {incident.owner === operator.value ? w.card.mine : w.card.owner(incident.owner)}</b>
        )}
      </p>
    </header>
  );
}

function Actions({ incident }: { incident: Incident }) {
  const w = words.value;
  const allowed = allowedActs(incident, operator.value);
  const result = outcome.value?.incident === incident.id ? outcome.value : null;
  const buttons: readonly (readonly [ActType, string, () => void])[] = [
    ["take", "T", take],
    ["dispatch", "D", () => ask("dispatch")],
    ["note", "N", () => ask("note")],
    ["close", "C", () => ask("close")],
  ];
  return (
    <div class="actions">
      <div class="action-row">
        {buttons.map(([type, key, run]) => (
          <button
            key={type}
            type="button"
            class={type === allowed[0] && type !== "note" ? "act is-next" : "act"}
            data-act={type}
            disabled={!allowed.includes(type)}
            onClick={run}
          >
            <kbd>{key}</kbd> {w.acts[type]}
          </button>
        ))}
      </div>
      <p class={`outcome ${result ? `is-${result.state}` : ""}`} role="status">
        {result && <span key={result.serial}>{result.text}</span>}
      </p>
    </div>
  );
}

/** What makes this alarm unusual: never a reason to refuse it, always said. */
function Marks({ incident }: { incident: Incident }) {
  const w = words.value;
  if (incident.marks.length === 0) return null;
  return (
    <section class="block marks">
      <h3>{w.card.marks}</h3>
      <ul>
        {incident.marks.map((mark) => (
          <li key={mark}>{w.marks[mark]}</li>
        ))}
      </ul>
    </section>
  );
}

function Facts({ incident }: { incident: Incident }) {
  const w = words.value;
  return (
    <dl class="block facts">
      <dt>{w.card.device}</dt>
      <dd>
        {incident.device === null ? w.card.hubItself : (incident.deviceName ?? incident.device)}
        {incident.device !== null && incident.deviceName !== null && <code>{incident.device}</code>}
        {incident.eventNumber !== null && <span class="soft">{w.card.event(incident.eventNumber)}</span>}
      </dd>
      <dt>{w.card.hub}</dt>
      <dd>
        <code>{incident.hub}</code>
      </dd>
      {incident.cause !== null && (
        <>
          <dt>{w.card.cause}</dt>
          <dd>{causeText(incident.cause, w)}</dd>
        </>
      )}
    </dl>
  );
}
