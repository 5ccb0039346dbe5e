/** Settings on their way to devices (FPort 3): a wish is stored and signed first, goes down with the answers to the
 *  device's own frames until the device says what became of it, and that is stored and signed too. */
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { isCodecError } from "../protocols/device/codec-error.ts";
import { MODES } from "../protocols/device/report.ts";
import {
  decodeSettingsAnswer,
  encodeSettings,
  MOST_MODE_MINUTES,
  SETTING,
  SETTINGS_FPORT,
  type SettingItem,
  type SettingsAnswer,
} from "../protocols/device/settings.ts";
import type { EventPlace } from "../protocols/event.ts";
import { hubDraft } from "./drafts.ts";
import type { Journal, UplinkCounter } from "./journal/journal.ts";
import type { Acceptance, Uplink, UplinkSink } from "./lorawan/sink.ts";

const policy = Type.Union([Type.Literal("normal"), Type.Literal("off")]);

/** What a person asks for; what is left out stays as it is. */
export const SettingsWish = Type.Object(
  {
    /** In steps of 10 s. */
    heartbeatS: Type.Optional(Type.Integer({ minimum: 60, maximum: 86_400, multipleOf: 10 })),
    lights: Type.Optional(policy),
    sound: Type.Optional(policy),
    /** "real" ends a mode that is on. */
    mode: Type.Optional(Type.Union(MODES.map((mode) => Type.Literal(mode)))),
    /** How long the mode lasts. */
    minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_MODE_MINUTES })),
    selfTest: Type.Optional(Type.Literal(true)),
    /** Between two check-ins of a personal button; 0: none. */
    checkInMinutes: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_080 })),
  },
  { additionalProperties: false },
);
export type SettingsWish = Static<typeof SettingsWish>;

export type SettingsState = "waiting" | "applied" | "refused" | "unanswered";

export interface DeviceSetting {
  /** 0-255. A device does nothing twice under the token it has answered last. */
  readonly token: number;
  readonly wish: SettingsWish;
  readonly state: SettingsState;
  /** What the device said last; null: nothing yet. */
  readonly answer: SettingsAnswer | null;
}

/** A wish that cannot be sent; the message says why and what to do. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

export interface DeviceSettingsOptions {
  readonly journal: Pick<Journal, "appendAll" | "settings">;
  /** 0-255. */
  random(): number;
  /** Undefined: there is no such device. */
  place(devEui: string): EventPlace | undefined;
  /** There is something to tell the device. */
  onWish(devEui: string): void;
}

export interface DeviceSettings {
  /** Settles when the wish is on stable storage; it takes the place of one that waits. Rejects with a SettingsError. */
  wish(devEui: string, wish: unknown): Promise<DeviceSetting>;
  /** What the next downlink may carry. */
  answer(devEui: string): ReturnType<UplinkSink["answer"]>;
  /** The device has sent a frame that is no answer: what was sent with the last downlink may have been lost. */
  heard(devEui: string): Promise<void>;
  /** Takes a device's answer. False: no answer at all; nothing was stored. */
  accept(uplink: Uplink, counter: UplinkCounter): Promise<Acceptance | false>;
  of(devEui: string): DeviceSetting | undefined;
  forget(devEui: string): void;
}

/** Downlinks without an answer: a device that does not know settings must not cost its battery for ever. */
export const MAX_TRIES = 8;

/** Settles when what was set before is loaded. */
export async function openDeviceSettings(options: DeviceSettingsOptions): Promise<DeviceSettings> {
  const { journal } = options;
  const settings = new Map<string, DeviceSetting>();
  const tries = new Map<string, number>();
  for (const { devEui, facts } of await journal.settings()) settings.set(devEui, JSON.parse(facts));

  async function store(devEui: string, next: DeviceSetting, note: string, counter?: UplinkCounter) {
    const place = options.place(devEui);
    const draft = hubDraft("settings", note, { device: devEui, ...(place && { place }) });
    const setting = { devEui, facts: JSON.stringify(next) };
    await journal.appendAll([draft], { setting, ...(counter && { counter }) });
    settings.set(devEui, next);
    tries.delete(devEui);
  }

  return {
    async wish(devEui, input) {
      if (options.place(devEui) === undefined) throw new SettingsError(`there is no device ${devEui}`);
      const wish = checkWish(input);
      const before = settings.get(devEui)?.token ?? options.random();
      const next: DeviceSetting = {
        token: (before + 1) & 0xff,
        wish,
        state: "waiting",
        answer: settings.get(devEui)?.answer ?? null,
      };
      await store(devEui, next, `asked for: ${words(wish)}`);
      options.onWish(devEui);
      return next;
    },
    answer(devEui) {
      const setting = settings.get(devEui);
      if (setting?.state !== "waiting") return null;
      const { token, wish } = setting;
      return {
        fPort: SETTINGS_FPORT,
        payload: encodeSettings({ token, items: itemsOf(wish) }),
        canWait: true,
      };
    },
    async heard(devEui) {
      const setting = settings.get(devEui);
      if (setting?.state !== "waiting") return;
      const tried = (tries.get(devEui) ?? 0) + 1;
      tries.set(devEui, tried);
      if (tried <= MAX_TRIES) return;
      await store(devEui, { ...setting, state: "unanswered" }, `no answer to: ${words(setting.wish)}`);
    },
    async accept(uplink, counter) {
      const answer = readAnswer(uplink.payload);
      if (answer === null) return false;
      const { devEui } = uplink;
      const setting = settings.get(devEui);
      const isAwaited = setting?.state === "waiting" || setting?.state === "unanswered";
      if (!isAwaited || setting.token !== answer.token) return { hold: false, durable: false };
      const isDone = answer.result === "applied" && holds(setting.wish, answer);
      // a device that was set by another hub may have answered under this very token before
      const isStale = answer.result === "applied" && !isDone;
      const next: DeviceSetting = isStale
        ? { ...setting, token: (setting.token + 1) & 0xff, state: "waiting", answer }
        : { ...setting, state: isDone ? "applied" : "refused", answer };
      const verdict = isStale ? "not yet in force, asked again" : isDone ? "applied" : refusal(answer);
      await store(devEui, next, `${verdict}: ${words(setting.wish)}`, counter);
      return { hold: false, durable: true };
    },
    of: (devEui) => settings.get(devEui),
    forget(devEui) {
      settings.delete(devEui);
      tries.delete(devEui);
    },
  };
}

function checkWish(input: unknown): SettingsWish {
  const flaw = Value.Errors(SettingsWish, input).First();
  if (flaw !== undefined) {
    throw new SettingsError(
      `${flaw.path.slice(1) || "settings"}: ${flaw.message.toLowerCase()}, got ${JSON.stringify(flaw.value) ?? "nothing"}`,
    );
  }
  const wish = input as SettingsWish;
  const { mode, minutes } = wish;
  if (mode !== undefined && mode !== "real" && minutes === undefined)
    throw new SettingsError(
      `minutes: mode ${mode} ends by itself: say after how many, 1 to ${MOST_MODE_MINUTES}`,
    );
  if (minutes !== undefined && (mode === undefined || mode === "real"))
    throw new SettingsError("minutes: they belong to a mode of test, drill or commissioning");
  if (itemsOf(wish).length === 0) throw new SettingsError("settings: nothing is asked for");
  return wish;
}

function itemsOf(wish: SettingsWish): SettingItem[] {
  const { heartbeatS, lights, sound, mode, minutes, selfTest, checkInMinutes } = wish;
  return [
    ...(heartbeatS === undefined ? [] : [{ tag: "heartbeat", seconds: heartbeatS } as const]),
    ...(lights === undefined ? [] : [{ tag: "lights", isOff: lights === "off" } as const]),
    ...(sound === undefined ? [] : [{ tag: "sound", isOff: sound === "off" } as const]),
    ...(mode === undefined ? [] : [{ tag: "mode", mode, minutes: minutes ?? 0 } as const]),
    ...(checkInMinutes === undefined ? [] : [{ tag: "checkIn", minutes: checkInMinutes } as const]),
    ...(selfTest === undefined ? [] : [{ tag: "selfTest" } as const]),
  ];
}

function readAnswer(payload: Uint8Array): SettingsAnswer | null {
  try {
    return decodeSettingsAnswer(payload);
  } catch (error) {
    if (isCodecError(error)) return null;
    throw error;
  }
}

/** What is wished is what the device says it has. A mode may have ended while the answer was under way. */
function holds(wish: SettingsWish, answer: SettingsAnswer): boolean {
  const { heartbeatS, lights, sound, mode } = wish;
  return (
    (heartbeatS === undefined || heartbeatS === answer.heartbeatS) &&
    (lights === undefined || (lights === "off") === answer.areLightsOff) &&
    (sound === undefined || (sound === "off") === answer.isSoundOff) &&
    (mode === undefined || mode === answer.mode || answer.mode === "real")
  );
}

function refusal({ result, tag }: SettingsAnswer): string {
  const [name] = Object.entries(SETTING).find(([, number]) => number === tag) ?? [];
  return `refused (${result}${tag === 0 ? "" : `: ${name ?? `tag ${tag}`}`})`;
}

function words(wish: SettingsWish): string {
  const { heartbeatS, lights, sound, mode, minutes, selfTest, checkInMinutes } = wish;
  return [
    ...(heartbeatS === undefined ? [] : [`heartbeat ${heartbeatS} s`]),
    ...(lights === undefined ? [] : [`lights ${lights}`]),
    ...(sound === undefined ? [] : [`sound ${sound}`]),
    ...(mode === undefined ? [] : [`mode ${mode}${minutes === undefined ? "" : ` for ${minutes} min`}`]),
    ...(checkInMinutes === undefined ? [] : [`check-in every ${checkInMinutes} min`]),
    ...(selfTest === undefined ? [] : ["self-test"]),
  ].join(", ");
}
