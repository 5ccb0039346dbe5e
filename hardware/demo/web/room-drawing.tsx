/** The room from the side: two sensors under the ceiling with the lights they show, and the fire as it is. */
import { FIERCEST } from "../entrance-site.ts";
import type { RoomView, SensorView } from "../site-view.ts";

/** As thick as it gets, a hand is still seen before one's eyes. */
const THICKEST_HAZE = 0.8;
const THICK_SMOKE = 15;
const PLACES = [150, 410] as const;

export function RoomDrawing({ room: { air, sensors } }: { room: RoomView }) {
  const size = Math.max(
    air.kelvinPerMinute / FIERCEST.kelvinPerMinute,
    air.smokePerMinute / FIERCEST.smokePerMinute,
  );
  return (
    <svg class="room-drawing" viewBox="0 0 560 260" aria-hidden="true">
      <defs>
        <linearGradient id="haze" x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stop-color="#55524e" />
          <stop offset="1" stop-color="#55524e" stop-opacity="0.35" />
        </linearGradient>
      </defs>
      <rect class="room-wall" width="560" height="260" rx="4" />
      <Shelves />
      <path class="room-floor" d="M0 240h560v16a4 4 0 0 1-4 4H4a4 4 0 0 1-4-4z" />
      {size > 0 && <Flame size={size} burns={air.kelvinPerMinute > 0} />}
      <path class="bin" d="M258 206h44l-5 36h-34z" />
      <rect
        width="560"
        height="240"
        fill="url(#haze)"
        opacity={Math.min(1, air.smoke / THICK_SMOKE) * THICKEST_HAZE}
      />
      <path class="room-ceiling" d="M4 0h552a4 4 0 0 1 4 4v12H0V4a4 4 0 0 1 4-4z" />
      {sensors.map((sensor, i) => (
        <Detector key={sensor.id} sensor={sensor} x={PLACES[i] ?? 280} />
      ))}
    </svg>
  );
}

function Shelves() {
  return (
    <g class="shelves">
      <path d="M24 128h120M24 172h120M24 216h120M416 128h120M416 172h120M416 216h120" />
      <path d="M34 128v-18h14v18M52 128v-24h10v24M70 128v-14h20v14M36 172v-22h10v22M54 172v-16h26v16M38 216v-20h30v20M78 216v-14h16v14M430 128v-20h12v20M448 128v-14h24v14M428 172v-24h10v24M444 172v-18h14v18M464 172v-12h22v12M432 216v-18h22v18M462 216v-24h10v24" />
    </g>
  );
}

/** A smouldering one shows no flame, only what glows. */
function Flame({ size, burns }: { size: number; burns: boolean }) {
  if (!burns) return <path class="glow" d="M262 206c4-6 10-8 18-8s14 2 18 8z" />;
  return (
    <g class="flame" transform={`translate(280 208) scale(${0.5 + size})`}>
      <path class="flame-out" d="M-20 0c-8-22 8-30 6-54 14 8 18 20 16 30 6-4 8-10 8-16 14 16 16 30 8 40z" />
      <path class="flame-in" d="M-9 0c-5-12 4-16 4-28 8 6 10 12 8 18 3-2 5-4 5-8 6 8 6 14 2 18z" />
    </g>
  );
}

function Detector({ sensor, x }: { sensor: SensorView; x: number }) {
  return (
    <g class="detector" data-lamp={sensor.levels.red ? "red" : "dark"} transform={`translate(${x} 16)`}>
      <path class="detector-base" d="M-52 0h104v10h-104z" />
      <path class="detector-body" d="M-46 10h92l-8 22a10 10 0 0 1-9 6h-58a10 10 0 0 1-9-6z" />
      {sensor.role === "smoke-sensor" ? (
        <path class="detector-slots" d="M-38 18h50M-36 24h48M-33 30h45" />
      ) : (
        <path class="detector-slots" d="M-12 38v12h24v-12M-4 38v12M4 38v12" />
      )}
      <circle class="lens" cx="28" cy="24" r="7" />
    </g>
  );
}
