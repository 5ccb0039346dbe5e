/** The right column: how the alarm was heard, what is proven about it, and the hubs behind the screen. */
import type { Incident } from "../../incidents/incident.ts";
import { Seal } from "./ladder.tsx";
import { centreMs, hubs, quarantine } from "./picture.ts";
import { openIncident } from "./state.ts";
import { ageText } from "./time.ts";
import { words } from "./words/words.ts";

export function SideColumn() {
  const incident = openIncident.value;
  return (
    <aside class="column side-column">
      {incident && <Proof incident={incident} />}
      {incident && <Receptions incident={incident} />}
      <Hubs />
    </aside>
  );
}

type Verdict = "ok" | "look" | "open";

function Proof({ incident }: { incident: Incident }) {
  const w = words.value;
  const { proof } = incident;
  const rows: (readonly [Verdict, string])[] = [
    ["ok", w.proof.signature],
    [proof.chain === "complete" ? "ok" : proof.chain === "gap" ? "look" : "open", w.proof.chain[proof.chain]],
    [proof.time === "good" ? "ok" : "look", w.proof.time[proof.time]],
  ];
  if (proof.equivocation) rows.push(["look", w.proof.equivocation]);
  return (
    <section class="block">
      <h3>{w.side.proof}</h3>
      <ul class="proof">
        {rows.map(([verdict, text]) => (
          <li key={text} class={`is-${verdict}`}>
            <span class="verdict" role="img" aria-label={w.proof[verdict]}>
              {verdict === "ok" ? <Seal title={w.proof.ok} /> : verdict === "look" ? "!" : "…"}
            </span>
            {text}
          </li>
        ))}
      </ul>
      <a
        class="act evidence"
        href={`/api/evidence/${encodeURIComponent(incident.id)}`}
        download={`tugma-${incident.id}.cbor`}
      >
        {w.acts.evidence}
      </a>
    </section>
  );
}

function Receptions({ incident }: { incident: Incident }) {
  const w = words.value;
  const carriers: Readonly<Record<string, string>> = w.side.carrier;
  return (
    <section class="block">
      <h3>{w.side.reception}</h3>
      {incident.receptions.length === 0 && <p class="empty-note">{w.side.noReception}</p>}
      {incident.receptions.map((reception) => (
        <dl key={`${reception.carrier} ${reception.gateway}`} class="reception">
          <dt>
            {carriers[reception.carrier] ?? reception.carrier}, {w.side.gateway}
          </dt>
          <dd>
            <code>{reception.gateway}</code>
          </dd>
          <dt>{w.side.signal}</dt>
          <dd>
            <Bars rssiDbm={reception.rssiDbm} />{" "}
            {reception.rssiDbm === null ? "–" : `${reception.rssiDbm} dBm`}
          </dd>
          <dt>{w.side.noise}</dt>
          <dd>{reception.snrDb === null ? "–" : `${reception.snrDb} dB`}</dd>
          <dt>{w.side.rate}</dt>
          <dd>{reception.dataRate === null ? "–" : `DR${reception.dataRate}`}</dd>
        </dl>
      ))}
    </section>
  );
}

/** Four bars from −120 dBm, the edge of what a gateway hears, in steps of 15 dB. */
function Bars({ rssiDbm }: { rssiDbm: number | null }) {
  const filled = rssiDbm === null ? 0 : Math.max(1, Math.min(4, Math.floor((rssiDbm + 135) / 15)));
  return (
    <svg class="bars" width="22" height="14" viewBox="0 0 22 14" aria-hidden="true">
      {[0, 1, 2, 3].map((i) => (
        <rect
          key={i}
          class={i < filled ? "is-on" : ""}
          x={i * 6}
          y={10 - i * 3}
          width="4"
          height={4 + i * 3}
        />
      ))}
    </svg>
  );
}

function Hubs() {
  const w = words.value;
  const bad = quarantine.value?.count ?? 0;
  return (
    <section class="block hubs">
      <h3>{w.side.hubs}</h3>
      {hubs.value.length === 0 && <p class="empty-note">{w.side.noHubs}</p>}
      <ul>
        {hubs.value.map((hub) => (
          <li key={hub.id} class={hub.link === "up" ? "hub" : "hub is-down"}>
            <span class="hub-name">{hub.name || hub.id}</span>
            <b class="hub-link">{w.hub[hub.link]}</b>
            <span class="hub-more">
              {w.hub.complete(hub.complete, hub.head)}
              {hub.gaps.length > 0 && <b> · {w.hub.gaps(hub.gaps.length)}</b>}
              {hub.link === "down" &&
                hub.lastSeenMs !== null &&
                ` · ${w.hub.seen(ageText(centreMs.value - hub.lastSeenMs, w))}`}
            </span>
          </li>
        ))}
      </ul>
      {bad > 0 && (
        <p class="quarantine" title={w.side.quarantineNote}>
          {w.side.quarantine(bad)}
        </p>
      )}
    </section>
  );
}
