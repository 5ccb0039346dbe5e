/** What lies over the screen when it no longer tells the truth. Old alarms stay legible behind it, and dated. */
import { isSignedOut, LOST_AFTER_MS, silentMs } from "./picture.ts";
import { ageText, clockText } from "./time.ts";
import { words } from "./words/words.ts";

export function Cover() {
  const w = words.value;
  if (isSignedOut.value) {
    return (
      <div class="cover" role="alertdialog" aria-label={w.cover.signedOut}>
        <div class="cover-box">
          <h1>{w.cover.signedOut}</h1>
          <button type="button" class="act is-next" onClick={() => location.assign("/")}>
            {w.cover.signIn}
          </button>
        </div>
      </div>
    );
  }
  if (silentMs.value <= LOST_AFTER_MS) return null;
  return (
    <div class="cover" role="alert">
      <div class="cover-box">
        <h1 aria-live="off">{w.cover.title(ageText(silentMs.value, w))}</h1>
        <p class="cover-note">{w.cover.note(clockText(Date.now() - silentMs.value, w))}</p>
        <p>{w.cover.trying}</p>
        <p>{w.cover.call}</p>
      </div>
    </div>
  );
}
