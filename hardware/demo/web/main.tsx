/** The entrance page of the demo: four buttons on a wall, and the road of a press. */
import { render } from "preact";
import "./entrance.css";
import { Panel } from "./panel.tsx";
import { Road } from "./road.tsx";
import { LANGUAGES, type Language, language, setLanguage, words } from "./words.ts";
import { connect, isLost, picture } from "./world.ts";

function App() {
  const w = words.value;
  return (
    <>
      <header class="top">
        <h1>{w.title}</h1>
        <p>{w.how}</p>
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
