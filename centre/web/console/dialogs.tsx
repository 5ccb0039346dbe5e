/** What a key asks before it acts. Native dialogs keep the focus inside and give it back; a new alarm behind them
 *  sounds and counts, and moves nothing. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Incident } from "../../incidents/incident.ts";
import { perform } from "./acts.ts";
import { CAUSES, type Cause } from "./cause.ts";
import { isCovered } from "./keys.ts";
import { unbroken } from "./place.ts";
import { Shape } from "./shape.tsx";
import { dialog, openIncident } from "./state.ts";
import { words } from "./words/words.ts";

export function Dialogs() {
  const incident = openIncident.value;
  if (dialog.value === "help") return <Help />;
  if (dialog.value === null || incident === null) return null;
  if (dialog.value === "dispatch") return <DispatchDialog key={incident.id} incident={incident} />;
  if (dialog.value === "note") return <NoteDialog key={incident.id} incident={incident} />;
  return <CloseDialog key={incident.id} incident={incident} />;
}

interface FrameProps {
  readonly title: string;
  readonly incident: Incident | null;
  readonly ok?: string;
  readonly isReady?: boolean;
  readonly onOk?: () => void;
  readonly children: ComponentChildren;
}

function Frame({ title, incident, ok, isReady = true, onOk, children }: FrameProps) {
  const box = useRef<HTMLDialogElement>(null);
  // before the next key arrives: what is typed right after the letter belongs into the dialog
  useLayoutEffect(() => {
    const element = box.current;
    // a dialog that leaves the page without close() would keep the focus it owes
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog ref={box} class="dialog" aria-label={title} onCancel={leave}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !isCovered()) onOk?.();
        }}
      >
        <h2>{title}</h2>
        {incident && <Subject incident={incident} />}
        {children}
        <div class="dialog-buttons">
          <button type="button" class="act" onClick={leave}>
            <kbd>Esc</kbd> {words.value.cancel}
          </button>
          {ok && (
            <button type="submit" class="act is-next" disabled={!isReady}>
              <kbd>Enter</kbd> {ok}
            </button>
          )}
        </div>
      </form>
    </dialog>
  );
}

/** Which alarm the answer is for: the card is behind the dialog. */
function Subject({ incident }: { incident: Incident }) {
  const w = words.value;
  return (
    <p class={`dialog-subject ${incident.mode === "drill" ? "tone-drill" : ""}`}>
      <Shape incident={incident} size={20} />
      <span>
        {incident.mode !== "real" && <b class="mode-word">{w.modes[incident.mode]}</b>}
        {w.kinds[incident.kind]}, {unbroken(`${incident.place.site}, ${incident.place.zone}`)}
      </span>
    </p>
  );
}

function DispatchDialog({ incident }: { incident: Incident }) {
  const w = words.value;
  const [team, setTeam] = useState("");
  return (
    <Frame
      title={w.dispatch.title}
      incident={incident}
      ok={w.dispatch.ok}
      isReady={team.trim() !== ""}
      onOk={() => finish(perform("dispatch", incident.id, { text: team.trim() }))}
    >
      <label>
        {w.dispatch.label}
        <input
          name="team"
          value={team}
          placeholder={w.dispatch.placeholder}
          maxLength={120}
          autocomplete="off"
          onInput={(event) => setTeam(event.currentTarget.value)}
        />
      </label>
    </Frame>
  );
}

function NoteDialog({ incident }: { incident: Incident }) {
  const w = words.value;
  const [text, setText] = useState("");
  return (
    <Frame
      title={w.note.title}
      incident={incident}
      ok={w.note.ok}
      isReady={text.trim() !== ""}
      onOk={() => finish(perform("note", incident.id, { text: text.trim() }))}
    >
      <label>
        {w.note.label}
        <input
          name="note"
          value={text}
          maxLength={500}
          autocomplete="off"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
    </Frame>
  );
}

function CloseDialog({ incident }: { incident: Incident }) {
  const w = words.value;
  const [cause, setCause] = useState<Cause | null>(null);
  const [text, setText] = useState("");
  const remark = text.trim();
  return (
    <Frame
      title={w.close.title}
      incident={incident}
      ok={w.close.ok}
      isReady={cause !== null}
      onOk={() =>
        cause && finish(perform("close", incident.id, remark ? { cause, text: remark } : { cause }))
      }
    >
      <fieldset
        onKeyDown={(event) => {
          const picked = CAUSES[Number(event.key) - 1];
          if (!picked) return;
          setCause(picked);
          event.currentTarget.querySelector<HTMLInputElement>(`[value="${picked}"]`)?.focus();
        }}
      >
        <legend>{w.close.label}</legend>
        {CAUSES.map((each, i) => (
          <label key={each} class="choice">
            <input
              type="radio"
              name="cause"
              value={each}
              checked={cause === each}
              // the fieldset hears the digits once the focus is inside; nothing is chosen by that alone
              autofocus={i === 0}
              onChange={() => setCause(each)}
            />
            <kbd>{i + 1}</kbd> {w.causes[each]}
          </label>
        ))}
      </fieldset>
      <label>
        {w.close.text}
        <input
          name="remark"
          value={text}
          maxLength={500}
          autocomplete="off"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <p class="soft">{w.close.hint}</p>
    </Frame>
  );
}

function Help() {
  const { help } = words.value;
  const rows: readonly (readonly [string, string])[] = [
    ["↑ ↓", help.rows.move],
    ["Enter", help.rows.open],
    ["Home", help.rows.first],
    ["T", help.rows.take],
    ["D", help.rows.dispatch],
    ["N", help.rows.note],
    ["C", help.rows.close],
    ["/", help.rows.search],
    ["?", help.rows.help],
    ["Esc", help.rows.escape],
  ];
  return (
    <Frame title={help.title} incident={null}>
      <dl class="keys">
        {rows.map(([key, text]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Frame>
  );
}

function leave(): void {
  dialog.value = null;
}

/** Closes at once: the result is shown in the card, and a failed act can be asked for again with its key. */
function finish(act: Promise<boolean>): void {
  leave();
  void act;
}
