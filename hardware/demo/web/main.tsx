/** The entrance page of the demo: four buttons on a wall, a shop that may burn, and the road of a press or an alarm. */
import { render } from "preact";
import "./entrance.css";
import "./room.css";
import { Panel } from "./panel.tsx";
import { Road } from "./road.tsx";
import { Room, RoomLink } from "./room.tsx";
import { LANGUAGES, type Language, language, setLanguage, words } from "./words.ts";
import { connect, isLost, picture } from "./world.ts";

function App() {
  const w = words.value;
  return (
    <>
      <header class="top" id="top">
        <h1>{w.title}</h1>
        <p>{w.how}</p>
        {picture.value?.rooms.map((room) => (
          <RoomLink key={room.id} room={room} />
        ))}
        <nav class="languages">
          {(Object.keys(LANGUAGES) as Language[]).map((each) => (
            <button
              key={each}
              type="button"
              lang={each}
              aria-pressed={each === language.value}
              onClick={() => setLanguage(each)}
            >
              {each}
            </button>
          ))}
        </nav>
      </header>
      <main class="wall" aria-busy={picture.value === null}>
        {picture.value?.entrances.map((entrance) => (
          <Panel key={entrance.id} entrance={entrance} />
        ))}
      </main>
      {picture.value?.rooms.map((room) => (
        <Room key={room.id} room={room} />
      ))}
      <Road />
      {isLost.value && (
        <p class="lost" role="alert">
          {w.lost}
        </p>
      )}
    </>
  );
}

setLanguage(language.value);
connect();
const root = document.getElementById("app");
if (root) render(<App />, root);
