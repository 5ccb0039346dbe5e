/** The operator's console: one screen, no page changes. */
import { effect, signal } from "@preact/signals";
import { render } from "preact";
import { ShiftBar } from "./bar.tsx";
import { CardColumn } from "./card.tsx";
import { Cover } from "./cover.tsx";
import { Dialogs } from "./dialogs.tsx";
import { Gate } from "./gate.tsx";
import { listenToKeys } from "./keys.ts";
import { Invitation, Login, Once } from "./login.tsx";
import { beat, connect, status } from "./picture.ts";
import { QueueColumn } from "./queue.tsx";
import { SideColumn } from "./side.tsx";
import { wakeSound } from "./sound.ts";
import { operator, shiftSince, untaken } from "./state.ts";
import "./style/base.css";
import "./style/console.css";
import "./style/card.css";
import "./style/entry.css";
import { announceArrivals, beatVoice, quietNews, urgentNews } from "./voice.ts";
import { language, setLanguage, words } from "./words/words.ts";

/** "asking" until the server has said who we are. */
const entry = signal<"asking" | "signIn" | "first" | "in" | "unreachable">("asking");

/** `/first#token` and `/once#token`; the token leaves the address bar before anything else happens. */
const link = { path: location.pathname, token: location.hash.slice(1) };
if (link.token) history.replaceState(null, "", "/");

function App() {
  if (entry.value !== "in") return <Entrance />;
  if (shiftSince.value === null) return <Gate />;
  return (
    <>
      <CentreTrouble />
      <div class="columns">
        <QueueColumn />
        <div class="detail">
          <CardColumn />
          <SideColumn />
        </div>
      </div>
      <ShiftBar />
      <Dialogs />
      <Cover />
      <p class="unseen" role="alert">
        {urgentNews.value}
      </p>
      <p class="unseen" role="status">
        {quietNews.value}
      </p>
    </>
  );
}

/** The centre itself cannot do its work: said above everything else. */
function CentreTrouble() {
  const fault = status.value?.ledgerFault ?? null;
  if (fault === null) return null;
  return (
    <p class="banner" role="alert">
      {words.value.ledgerFault} <code>{fault}</code>
    </p>
  );
}

function Entrance() {
  const onOperator = () => void askWho();
  if (entry.value === "asking" && link.token && link.path === "/once")
    return <Once token={link.token} onOperator={onOperator} />;
  if (entry.value === "asking" && link.token && link.path === "/first") {
    return <Invitation token={link.token} onOperator={onOperator} />;
  }
  if (entry.value === "asking") return null;
  if (entry.value === "unreachable")
    return <p class="entry entry-error">{words.value.login.errors.network}</p>;
  return <Login isFirst={entry.value === "first"} onOperator={onOperator} />;
}

async function askWho(): Promise<void> {
  try {
    const answer = await fetch("/api/session");
    const session: { operator: string | null; first: boolean } = await answer.json();
    operator.value = session.operator;
    if (session.operator !== null) {
      connect();
      entry.value = "in";
    } else entry.value = session.first ? "first" : "signIn";
  } catch {
    entry.value = "unreachable";
    setTimeout(() => void askWho(), 1000);
  }
}

// the queue's state can be read from the tab bar while another window is in front
effect(() => {
  document.title = `${untaken.value.length > 0 ? `(${untaken.value.length}) ` : ""}Tugma`;
});

setLanguage(language.value);
listenToKeys();
announceArrivals();
// after a reload the shift goes on, but the browser wants to be touched once before it may sound
for (const gesture of ["keydown", "pointerdown"]) {
  window.addEventListener(gesture, () => {
    if (shiftSince.value !== null) void wakeSound();
  });
}
const metronome = new Worker(new URL("./metronome.worker.ts", import.meta.url), { type: "module" });
metronome.onmessage = () => {
  beat();
  beatVoice();
};
if (!link.token) void askWho();
const root = document.getElementById("app");
if (root) render(<App />, root);
