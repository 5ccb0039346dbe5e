/** The start of a shift: one press, which also lets the browser make sound and lets the operator hear it. */
import { LanguageSwitch } from "./bar.tsx";
import { focusOnMount } from "./focus.ts";
import { playTest, wakeSound } from "./sound.ts";
import { operator, startShift, untaken } from "./state.ts";
import { words } from "./words/words.ts";

export function Gate() {
  const w = words.value;
  const waiting = untaken.value.length;
  return (
    <main class="entry">
      <div class="entry-box">
        <p class="soft">{w.gate.title}</p>
        <h1>{w.gate.hello(operator.value ?? "")}</h1>
        <p class={waiting > 0 ? "gate-waiting is-waiting" : "gate-waiting"}>
          {waiting > 0 ? w.gate.waiting(waiting) : w.gate.nobody}
        </p>
        <button type="button" class="act is-next is-big" ref={focusOnMount} onClick={() => void begin()}>
          <kbd>Enter</kbd> {w.gate.button}
        </button>
        <p class="soft">{w.gate.note}</p>
      </div>
      <LanguageSwitch />
    </main>
  );
}

async function begin(): Promise<void> {
  // the console opens at once: an alarm may be waiting, and a blocked loudspeaker shows in the shift bar
  startShift();
  await wakeSound();
  playTest();
}
