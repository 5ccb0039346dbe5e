/** The shift bar: who, since when, link, hubs lost, oldest untaken, sound, language. */
import { post } from "./acts.ts";
import { centreMs, hubs, LOST_AFTER_MS, silentMs } from "./picture.ts";
import { playTest, soundIsAwake } from "./sound.ts";
import { endShift, operator, shiftSince, untaken } from "./state.ts";
import { ageText, clockText } from "./time.ts";
import { LANGUAGES, type Language, language, setLanguage, words } from "./words/words.ts";

export function ShiftBar() {
  const w = words.value;
  const lost = hubs.value.filter((hub) => hub.link === "down").length;
  const oldestMs = Math.min(...untaken.value.map((incident) => incident.openedMs));
  const hasLink = silentMs.value <= LOST_AFTER_MS;
  return (
    <footer class="bar">
      <span class="bar-who">
        <b>{operator.value}</b>
        {shiftSince.value !== null && <span class="soft">{w.bar.shift(clockText(shiftSince.value, w))}</span>}
      </span>
      <Cell label={w.bar.link} isBad={!hasLink} text={hasLink ? w.bar.linkOk : w.bar.linkLost} />
      <Cell
        label={w.bar.hubs}
        isBad={lost > 0}
        text={lost > 0 ? w.bar.hubsLost(lost, hubs.value.length) : w.bar.hubsOk(hubs.value.length)}
      />
      <Cell
        label={w.bar.oldest}
        isBad={untaken.value.length > 0}
        text={untaken.value.length > 0 ? ageText(centreMs.value - oldestMs, w) : w.bar.none}
      />
      <Sound />
      <span class="bar-end">
        <span class="bar-clock">{clockText(centreMs.value, w)}</span>
        <LanguageSwitch />
        <button type="button" class="link" onClick={() => void signOut()}>
          {w.bar.out}
        </button>
      </span>
    </footer>
  );
}

function Cell({ label, text, isBad }: { label: string; text: string; isBad: boolean }) {
  return (
    <span class={isBad ? "cell is-bad" : "cell"}>
      <span class="soft">{label}</span> {text}
    </span>
  );
}

function Sound() {
  const w = words.value;
  // read, so that the cell looks again at every beat: waking up is not a signal
  const isOn = centreMs.value > 0 && soundIsAwake();
  return (
    <button
      type="button"
      class={isOn ? "cell link" : "cell link is-bad"}
      title={w.bar.soundTest}
      onClick={playTest}
    >
      <span class="soft">{w.bar.sound}</span> {isOn ? w.bar.soundOn : w.bar.soundOff}
    </button>
  );
}

/** Every language in its own words: somebody who cannot read the present one must find his own. */
export function LanguageSwitch() {
  return (
    <span class="languages">
      {(Object.keys(LANGUAGES) as Language[]).map((each) => (
        <button
          key={each}
          type="button"
          class="link"
          lang={each}
          aria-pressed={each === language.value}
          title={LANGUAGES[each].language}
          onClick={() => setLanguage(each)}
        >
          {each}
        </button>
      ))}
    </span>
  );
}

async function signOut(): Promise<void> {
  endShift();
  try {
    await post("/api/logout", {});
  } finally {
    location.assign("/");
  }
}
