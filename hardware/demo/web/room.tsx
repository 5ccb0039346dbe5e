/** A room that may burn: its air as numbers, the sliders that make the fire, and what its sensors show and say. */
import { useEffect, useState } from "preact/hooks";
import { FIERCEST, type Fire, type SensorWord } from "../entrance-site.ts";
import type { RoomView, SensorView } from "../site-view.ts";
import { RoomDrawing } from "./room-drawing.tsx";
import { LOCALES, language, words } from "./words.ts";
import { burn, putOut } from "./world.ts";

/** What is below these is shown as a calm room's air. */
const CALM_CELSIUS = 25.5;
const CALM_SMOKE = 0.05;
const OUT: Fire = { kelvinPerMinute: 0, smokePerMinute: 0 };
const KELVIN_STEP = 5;
const SMOKE_STEP = 2;
const GRAVEST: readonly SensorWord[] = ["alarm", "preAlarm", "fault", "quiet"];

/** Never by colour alone. */
const SHAPES: Record<SensorWord, string> = { quiet: "○", fault: "■", preAlarm: "◆", alarm: "▲" };

export function Room({ room }: { room: RoomView }) {
  const { air, place } = room;
  return (
    <section class="room" id={room.id} data-room={room.id} aria-label={room.name}>
      <div class="room-scene">
        <header class="sign">
          <span class="sign-mahalla">{place.mahalla} mahallasi</span>
          <b class="sign-house">{place.building}</b>
          <span class="sign-entrance">do‘kon</span>
        </header>
        <RoomDrawing room={room} />
        <div class="sensors">
          {room.sensors.map((sensor) => (
            <SensorWords key={sensor.id} sensor={sensor} />
          ))}
        </div>
      </div>
      <div class="room-hands">
        <dl class="air">
          <div>
            <dt>{words.value.airNow}</dt>
            <dd data-air="celsius">{tenths(air.celsius)} °C</dd>
          </div>
          <div>
            <dt>{words.value.smokeNow}</dt>
            <dd data-air="smoke">
              {tenths(air.smoke)} {words.value.perMetre}
            </dd>
          </div>
        </dl>
        <FireSliders room={room} />
        <p class="patience">{words.value.patience}</p>
        <a class="jump" href="#top">
          {words.value.toEntrances} ↑
        </a>
      </div>
    </section>
  );
}

/** The way to the room from the top of the page; it says so when something stands there. */
export function RoomLink({ room }: { room: RoomView }) {
  const w = words.value;
  const word = GRAVEST.find((each) => room.sensors.some((sensor) => sensor.word === each)) ?? "quiet";
  return (
    <a class="jump" href={`#${room.id}`} data-word={word}>
      {w.toRoom} ↓{" "}
      {word !== "quiet" && (
        <b>
          {SHAPES[word]} {w.sensorWord[word]}
        </b>
      )}
    </a>
  );
}

function FireSliders({ room }: { room: RoomView }) {
  const w = words.value;
  const { celsius, smoke, ...is } = room.air;
  // the hand leads, and the room follows: what is still on its way must not pull a slider back
  const [wanted, setWanted] = useState<Fire | null>(null);
  useEffect(
    () => setWanted((mine) => (mine !== null && isSame(mine, is) ? null : mine)),
    [is.kelvinPerMinute, is.smokePerMinute],
  );
  const fire = wanted ?? is;
  const isCalm = celsius < CALM_CELSIUS && smoke < CALM_SMOKE && isSame(fire, OUT);
  const set = (change: Partial<Fire>) => {
    const next = { ...fire, ...change };
    setWanted(isSame(next, is) ? null : next);
    burn(room.id, next);
  };
  const end = () => {
    setWanted(null);
    putOut(room.id);
  };
  return (
    <div class="fire">
      <Slider
        name="kelvinPerMinute"
        label={w.rises}
        value={fire.kelvinPerMinute}
        step={KELVIN_STEP}
        ticks={[0, 10, 20, 30]}
        text={w.kelvinPerMinute}
        onSet={(value) => set({ kelvinPerMinute: value })}
      />
      <Slider
        name="smokePerMinute"
        label={w.thickens}
        value={fire.smokePerMinute}
        step={SMOKE_STEP}
        ticks={[0, 4, 8, 12]}
        text={w.smokePerMinute}
        onSet={(value) => set({ smokePerMinute: value })}
      />
      <button type="button" class="put-out" disabled={isCalm} onClick={end}>
        {w.putOut}
      </button>
    </div>
  );
}

function isSame(a: Fire, b: Fire): boolean {
  return a.kelvinPerMinute === b.kelvinPerMinute && a.smokePerMinute === b.smokePerMinute;
}

interface SliderProps {
  readonly name: keyof Fire;
  readonly label: string;
  readonly value: number;
  readonly step: number;
  readonly ticks: readonly number[];
  readonly text: (value: number) => string;
  readonly onSet: (value: number) => void;
}

function Slider({ name, label, value, step, ticks, text, onSet }: SliderProps) {
  return (
    <label class="slider">
      <span class="slider-label">
        {label} <b>{text(value)}</b>
      </span>
      <input
        type="range"
        name={name}
        min={0}
        max={FIERCEST[name]}
        step={step}
        value={value}
        aria-valuetext={text(value)}
        onInput={(event) => onSet(Number(event.currentTarget.value))}
      />
      <span class="ticks" aria-hidden="true">
        {ticks.map((tick) => (
          <span key={tick}>{tick}</span>
        ))}
      </span>
    </label>
  );
}

function SensorWords({ sensor }: { sensor: SensorView }) {
  const w = words.value;
  const { levels, role, word } = sensor;
  return (
    <div class="sensor" data-sensor={sensor.id} data-word={word} data-lamp={levels.red ? "red" : "dark"}>
      <span>{w.sensor[role]}</span>
      <b role="status">
        {SHAPES[word]} {w.sensorWord[word]}
      </b>
      <span class="sensor-look">
        {levels.red ? w.redOn : w.redOff}
        {levels.buzzer && ` · ${w.sounder} ♪`}
      </span>
    </div>
  );
}

function tenths(value: number): string {
  const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  return new Intl.NumberFormat(LOCALES[language.value], digits).format(value);
}
