/** One entrance: the house sign, the wall panel at real size (86 × 124 mm), and what its lamp says. */
import { useRef, useState } from "preact/hooks";
import type { EntranceView } from "../site-view.ts";
import { readLamp } from "./lamp-reader.ts";
import { Mains } from "./switches.tsx";
import { words } from "./words.ts";
import { lampChanges, move, worldMs } from "./world.ts";

export function Panel({ entrance }: { entrance: EntranceView }) {
  const { place, levels } = entrance;
  const colour = levels.red ? "red" : levels.amber ? "amber" : levels.green ? "green" : "dark";
  return (
    <article class="entrance" data-entrance={entrance.id}>
      <header class="sign">
        <span class="sign-mahalla">{place.mahalla} mahallasi</span>
        <b class="sign-house">{place.building}</b>
        <span class="sign-entrance">{place.entrance}-kirish</span>
      </header>
      <div class="panel" data-lamp={colour}>
        <Housing />
        <MushroomButton entrance={entrance} />
      </div>
      <LampWords entrance={entrance} />
      <footer class="under">
        <span>
          {place.district}, {place.mahalla} {place.building}-{place.entrance}
        </span>
        <span class="feeds">
          <Mains entrance={entrance.id} />
          {entrance.carrier === "wire" && <b>{words.value.wired}</b>}
        </span>
      </footer>
    </article>
  );
}

/** Drawn in millimetres. The lamp's colour comes from the pins by `data-lamp`. */
function Housing() {
  return (
    <svg class="housing" viewBox="0 0 86 124" aria-hidden="true">
      <defs>
        <linearGradient id="plate" x1="0" y1="0" x2="0.4" y2="1">
          <stop offset="0" stop-color="#e9ebec" />
          <stop offset="0.5" stop-color="#d3d7da" />
          <stop offset="1" stop-color="#b9bfc4" />
        </linearGradient>
        <radialGradient id="glass" cx="0.38" cy="0.32" r="0.8">
          <stop offset="0" stop-color="#ffffff" stop-opacity="0.85" />
          <stop offset="0.3" stop-color="#ffffff" stop-opacity="0.15" />
          <stop offset="1" stop-color="#000000" stop-opacity="0.25" />
        </radialGradient>
      </defs>
      <rect
        x="0.5"
        y="0.5"
        width="85"
        height="123"
        rx="5"
        fill="url(#plate)"
        stroke="#8f979d"
        stroke-width="0.5"
      />
      <rect
        x="2.2"
        y="2.2"
        width="81.6"
        height="119.6"
        rx="3.8"
        fill="none"
        stroke="#ffffff"
        stroke-opacity="0.55"
        stroke-width="0.5"
      />
      {[
        [7, 7],
        [79, 7],
        [7, 117],
        [79, 117],
      ].map(([x, y]) => (
        <g key={`${x} ${y}`} transform={`translate(${x} ${y})`}>
          <circle r="2.4" fill="#aeb5ba" stroke="#868e94" stroke-width="0.4" />
          <path d="M-1.5 -0.9L1.5 0.9M-0.9 1.5L0.9 -1.5" stroke="#6d757b" stroke-width="0.5" />
        </g>
      ))}
      <circle cx="43" cy="17" r="6.4" fill="#4b5359" />
      <circle class="lens" cx="43" cy="17" r="5.2" />
      <circle cx="43" cy="17" r="5.2" fill="url(#glass)" />
      <circle cx="43" cy="57" r="28" fill="#f2c531" stroke="#b58f13" stroke-width="0.6" />
      <circle cx="43" cy="57" r="24.2" fill="#3a4046" />
      <g class="engraved">
        <text x="43" y="97">
          TASHVISH TUGMASI
        </text>
        <text x="43" y="104.2">
          ТРЕВОЖНАЯ КНОПКА
        </text>
        <text x="43" y="111.4">
          PANIC BUTTON
        </text>
      </g>
    </svg>
  );
}

/** A real HTML button over the drawing: mouse, touch and space bar hold it; whatever takes the hand away lets it go. */
function MushroomButton({ entrance }: { entrance: EntranceView }) {
  const [isHeld, setHeld] = useState(false);
  const held = useRef(false);
  const hold = (down: boolean) => {
    if (held.current === down) return;
    held.current = down;
    setHeld(down);
    move(entrance.id, down);
  };
  const isSpace = (event: KeyboardEvent) => event.key === " " || event.key === "Enter";
  return (
    <button
      type="button"
      class={isHeld || entrance.isDown ? "mushroom is-down" : "mushroom"}
      aria-label={`${words.value.press}, ${entrance.name}`}
      aria-pressed={isHeld || entrance.isDown}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        // the button stays held when the pointer slides off it, as under a real palm
        event.currentTarget.setPointerCapture(event.pointerId);
        hold(true);
      }}
      onPointerUp={() => hold(false)}
      onPointerCancel={() => hold(false)}
      onLostPointerCapture={() => hold(false)}
      onBlur={() => hold(false)}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (!isSpace(event)) return;
        event.preventDefault();
        hold(true);
      }}
      onKeyUp={(event) => {
        if (isSpace(event)) hold(false);
      }}
    />
  );
}

function LampWords({ entrance }: { entrance: EntranceView }) {
  const word = readLamp(lampChanges.value.get(entrance.id) ?? [], worldMs.value);
  const [meaning, look] = words.value.lamp[word];
  return (
    <p class="lamp-words" data-word={word} role="status">
      <b>{meaning}</b>
      <span>
        {look}
        {entrance.levels.buzzer && " ♪"}
      </span>
    </p>
  );
}
