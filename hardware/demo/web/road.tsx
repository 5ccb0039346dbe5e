/** The road of the last press or alarm: each station lights when it really happens, with its time since the hand came down
 *  or the sensor's light came on. */
import { STRIP_STEPS, type StripStep } from "../entrance-site.ts";
import { type DeviceView, devicesOf, type SitePicture } from "../site-view.ts";
import { CentreSwitch, GatewaySwitches } from "./switches.tsx";
import { LOCALES, language, words } from "./words.ts";
import { picture, shown } from "./world.ts";

const ICONS: Record<StripStep, string> = {
  air: "M12 20v-8M8.5 8.5a5 5 0 0 1 7 0M5.5 5.5a9.2 9.2 0 0 1 13 0M12 12.5a.6.6 0 1 0 0-1.2a.6.6 0 0 0 0 1.2",
  gateway: "M4 20h16v-5H4zM7 17.5h.01M10 17.5h.01M16 15V8M13 8.5a4.2 4.2 0 0 1 6 0M11 6a7.6 7.6 0 0 1 10 0",
  disk: "M5 6c0-1.7 3.1-3 7-3s7 1.3 7 3-3.1 3-7 3-7-1.3-7-3v12c0 1.7 3.1 3 7 3s7-1.3 7-3V6M5 12c0 1.7 3.1 3 7 3s7-1.3 7-3",
  seal: "M12 2.5l2.6 2 3.2-.2.9 3.1 2.6 1.9-1.1 3 1.1 3-2.6 1.9-.9 3.1-3.2-.2-2.6 2-2.6-2-3.2.2-.9-3.1L2.7 15.3l1.1-3-1.1-3 2.6-1.9.9-3.1 3.2.2zM8 12.3l2.8 2.8 5.2-5.6",
  operator: "M12 11a4 4 0 1 0 0-8a4 4 0 0 0 0 8M4 21c0-4.4 3.6-7 8-7s8 2.6 8 7M5 8v-1a7 7 0 0 1 14 0v1",
  team: "M2 16V8h11v8M13 11h4l4 3v2h-2M2 16h2M9 16h5M6.5 18.5a2 2 0 1 0 0-4a2 2 0 0 0 0 4M16.5 18.5a2 2 0 1 0 0-4a2 2 0 0 0 0 4M6 8V5.5h3V8",
  closed: "M4 12.5l5.5 5.5L20 6.5",
};

export function Road() {
  const w = words.value;
  const site = picture.value;
  const device = site && devicesOf(site).find((each) => each.id === shown.value);
  const title = site && device ? titleOf(device, site) : w.stripEmpty;
  const isWired = site?.entrances.some((each) => each.id === shown.value && each.carrier === "wire");
  return (
    <section class="road" aria-label={title}>
      <h2>{title}</h2>
      <ol class="stations">
        {STRIP_STEPS.map((step) => (
          <Station
            key={step}
            step={step}
            device={device}
            name={(isWired && w.wireStrip[step]) || w.strip[step]}
          />
        ))}
      </ol>
    </section>
  );
}

function titleOf({ id, name }: DeviceView, { rooms }: SitePicture): string {
  const w = words.value;
  for (const room of rooms) {
    const sensor = room.sensors.find((each) => each.id === id);
    if (sensor) return w.alarmTitle(room.name, w.sensor[sensor.role]);
  }
  return w.stripTitle(name);
}

interface StationProps {
  readonly step: StripStep;
  readonly device: DeviceView | null | undefined;
  readonly name: string;
}

function Station({ step, device, name }: StationProps) {
  const mark = device?.strip.find((each) => each.step === step);
  return (
    <li class={mark ? "station is-lit" : "station"} data-step={step}>
      <span class="station-icon">
        <svg viewBox="0 0 24 24" width="28" height="28" aria-hidden="true">
          <path d={ICONS[step]} />
        </svg>
      </span>
      <b>{name}</b>
      <span class="station-time">{mark ? sinceText(mark.sinceMs) : "–"}</span>
      {step === "gateway" && <GatewaySwitches />}
      {step === "seal" && <CentreSwitch />}
    </li>
  );
}

/** "62 ms", "1,240 ms", from ten seconds on "12.4s". */
function sinceText(ms: number): string {
  const locale = LOCALES[language.value];
  const isShort = ms < 10_000;
  const digits = isShort ? 0 : 1;
  return new Intl.NumberFormat(locale, {
    style: "unit",
    unit: isShort ? "millisecond" : "second",
    unitDisplay: isShort ? "short" : "narrow",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(isShort ? ms : ms / 1000);
}
