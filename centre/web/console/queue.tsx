/** The queue. Whatever comes in, the line under the pointer, or else the open line, stays where it is on the screen:
 *  the list scrolls by as much as was put in above, and the strip on top names what is more urgent. */
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Incident } from "../../incidents/incident.ts";
import { detailText } from "./detail.ts";
import { centreMs, isLoaded } from "./picture.ts";
import { placeText, unbroken } from "./place.ts";
import { Shape, toneOf } from "./shape.tsx";
import { lines, openFirst, openId, queue, search, showClosed, untaken } from "./state.ts";
import { ageDigits } from "./time.ts";
import { words } from "./words/words.ts";

export function QueueColumn() {
  const w = words.value;
  return (
    <section class="column queue-column" aria-label={w.queue.title}>
      <header class="queue-head">
        <h2>
          {w.queue.title}
          <span class={untaken.value.length > 0 ? "count is-waiting" : "count"}>
            {w.queue.untaken(untaken.value.length)}
          </span>
        </h2>
        <input
          id="search"
          type="search"
          value={search.value}
          placeholder={`${w.queue.search}  /`}
          aria-label={w.queue.search}
          title={w.queue.searchNote}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => {
            search.value = event.currentTarget.value;
          }}
        />
        <NextStrip />
      </header>
      <QueueList />
    </section>
  );
}

/** The most urgent alarm besides the open one, always at the same place. */
function NextStrip() {
  const w = words.value;
  const next = queue.value.real.find((incident) => incident.stage === "new" && incident.id !== openId.value);
  if (!next) return <p class="next-strip">{w.queue.nothingNext}</p>;
  return (
    <button type="button" class={`next-strip is-filled ${toneOf(next)}`} onClick={openFirst} tabIndex={-1}>
      <Shape incident={next} size={20} />
      <span class="next-text">
        {w.queue.next}: <b>{w.kinds[next.kind]}</b>, {unbroken(placeText(next.place))}
      </span>
      <kbd>Home</kbd>
    </button>
  );
}

function QueueList() {
  const w = words.value;
  const list = useRef<HTMLDivElement>(null);
  useAnchoredScroll(list);
  const { real, other, closed } = queue.value;
  if (!isLoaded.value) return <p class="empty-note">{w.queue.loading}</p>;
  return (
    <div
      id="queue"
      class="queue"
      ref={list}
      role="listbox"
      tabIndex={0}
      aria-label={w.queue.title}
      aria-activedescendant={openId.value ? `line-${openId.value}` : undefined}
    >
      {real.length === 0 && <EmptyQueue />}
      {real.map(lineOf)}
      {other.length > 0 && <h3 role="presentation">{w.queue.drills}</h3>}
      {other.map(lineOf)}
      {closed.length > 0 && (
        <button
          type="button"
          class="closed-toggle"
          aria-expanded={showClosed.value}
          tabIndex={-1}
          onClick={toggleClosed}
        >
          {w.queue.closed(closed.length)}
        </button>
      )}
      {showClosed.value && closed.map(lineOf)}
    </div>
  );
}

function EmptyQueue() {
  const w = words.value;
  return (
    <div class="empty" role="presentation">
      <p class="empty-title">{search.value ? w.queue.noMatch : w.queue.empty}</p>
      <p class="empty-note">{search.value ? w.queue.searchNote : w.queue.emptyNote}</p>
    </div>
  );
}

const lineOf = (incident: Incident) => (
  <Line key={incident.id} incident={incident} isOpen={incident.id === openId.value} />
);

function Line({ incident, isOpen }: { incident: Incident; isOpen: boolean }) {
  const w = words.value;
  const isReal = incident.mode === "real";
  const said = detailText(incident, w);
  return (
    <div
      id={`line-${incident.id}`}
      class={`line ${toneOf(incident)}`}
      role="option"
      tabIndex={-1}
      aria-selected={isOpen}
      data-stage={incident.stage}
      data-mode={incident.mode}
      onMouseDown={() => {
        openId.value = incident.id;
      }}
    >
      <Shape incident={incident} size={32} />
      <span class="line-kind">
        {!isReal && <b class="mode-word">{w.modes[incident.mode]}</b>}
        {w.kinds[incident.kind]}
        {said !== null && <span class="line-detail"> · {said}</span>}
      </span>
      <span class="line-age">
        {ageDigits((incident.stageTimes.closed ?? centreMs.value) - incident.openedMs)}
      </span>
      <span class="line-place">{unbroken(placeText(incident.place))}</span>
      <span class="line-stage">
        {incident.stage === "new" ? w.queue.waiting : w.stages[incident.stage]}
        {incident.owner !== null && ` · ${incident.owner}`}
        {incident.unseen && <b class="again"> · {w.queue.again}</b>}
      </span>
    </div>
  );
}

function toggleClosed(): void {
  showClosed.value = !showClosed.value;
}

/** Keeps the line under the pointer, or the open one, at its height whenever other lines come, go or move. A move of
 *  the cursor itself scrolls just enough to show the line. */
function useAnchoredScroll(list: { current: HTMLDivElement | null }): void {
  const before = useRef<{ id: string; top: number } | null>(null);
  const order = lines.value.map((incident) => incident.id).join();
  useLayoutEffect(() => {
    const box = list.current;
    if (!box) return;
    const anchor = before.current;
    const row = anchor && document.getElementById(anchor.id);
    if (row) box.scrollTop += topIn(box, row) - anchor.top;
    const remember = () => {
      const held = box.querySelector(".line:hover") ?? document.getElementById(`line-${openId.value}`);
      before.current = held ? { id: held.id, top: topIn(box, held) } : null;
    };
    remember();
    box.addEventListener("scroll", remember);
    box.addEventListener("pointermove", remember);
    return () => {
      box.removeEventListener("scroll", remember);
      box.removeEventListener("pointermove", remember);
    };
  }, [order]);
  useLayoutEffect(() => {
    const box = list.current;
    const row = document.getElementById(`line-${openId.value}`);
    if (!box || !row) return;
    row.scrollIntoView({ block: "nearest" });
    before.current = { id: row.id, top: topIn(box, row) };
  }, [openId.value]);
}

function topIn(box: Element, row: Element): number {
  return row.getBoundingClientRect().top - box.getBoundingClientRect().top;
}
