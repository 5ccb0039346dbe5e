/** An RN2483 LoRaWAN modem, firmware 1.0.5: words and answers on a byte stream (command reference DS40001784), the MAC of
 *  lorawan-device.ts as LoRaWAN 1.0.3 behind them. A join is lost with every reset; `mac_rx` stands in the place of
 *  `mac_tx_ok`; asleep it hears nothing but a break, and says `ok` when its sleep ends. */
import { REGIONS, type RegionName } from "../../protocols/lorawan/regions.ts";
import type { Timer } from "./clock.ts";
import { BLANK_MEMORY, type DeviceMemory } from "./device-session.ts";
import type { DeviceEvent, LorawanDevice, Started } from "./device-types.ts";
import { createLorawanDevice } from "./lorawan-device.ts";
import type { ModemFaults } from "./rak3172-types.ts";
import {
  getSetting,
  hasKeys,
  parseTx,
  RN2483_BANDS,
  RN2483_DEFAULTS,
  type Rn2483Settings,
  setSetting,
} from "./rn2483-settings.ts";
import type { Rn2483, Rn2483Options } from "./rn2483-types.ts";
import { createUartOut, lineMs, type UartOut } from "./uart.ts";

export const RN2483_VERSION = "RN2483 1.0.5 Oct 31 2018 15:06:52";
const BAUD = 57_600;
const ANSWER_MS = 2;
const BOOT_MS = 100;
const LINE_LIMIT = 532;
const LONGEST_SLEEP_MS = 4_294_967_295;
const SHORTEST_SLEEP_MS = 100;
/** A break, and the byte that sets the pace. */
const BREAK = 0x00;
const PACE = 0x55;

export function createRn2483(options: Rn2483Options): Rn2483 {
  return new Modem(options);
}

class Modem implements Rn2483 {
  faults: ModemFaults = {};
  readonly #options: Rn2483Options;
  readonly #uart: UartOut;
  readonly #timers = new Set<Timer>();
  #settings: Rn2483Settings = RN2483_DEFAULTS;
  #region: RegionName = "EU868";
  #memory: DeviceMemory;
  #device: LorawanDevice | null = null;
  #powered = false;
  #line = "";
  #last = PACE;
  #sleep: Timer | null = null;
  #payload: string | null = null;
  #sent: Extract<DeviceEvent, { type: "sent" }> | null = null;

  constructor(options: Rn2483Options) {
    this.#options = options;
    this.#uart = createUartOut({ baud: BAUD, ...options });
    this.#memory = options.memory ?? BLANK_MEMORY;
  }

  get powered(): boolean {
    return this.#powered;
  }
  get joined(): boolean {
    return this.#device?.joined ?? false;
  }
  get asleep(): boolean {
    return this.#sleep !== null;
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.#uart.onData(listener);
  }

  write(bytes: Uint8Array): void {
    if (this.#device === null || this.faults.mute === true) return;
    for (const byte of bytes) {
      const isCall = this.#last === BREAK && byte === PACE;
      this.#last = byte;
      if (isCall) this.#wake();
      else if (this.#sleep === null && byte !== BREAK) this.#take(String.fromCharCode(byte));
    }
  }

  powerOn(): void {
    if (this.#powered) return;
    this.#powered = true;
    this.#boot();
  }

  powerOff(): void {
    this.#powered = false;
    this.#stop();
  }

  #take(character: string): void {
    if (character === "\r" || character === "\n") this.#endLine();
    // what is too long for the buffer is answered as one bad line, not as several
    else if (this.#line.length <= LINE_LIMIT) this.#line += character;
  }

  #stop(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#uart.clear();
    this.#device?.off();
    this.#device = null;
    this.#sleep = null;
    this.#line = "";
  }

  #boot(): void {
    this.#stop();
    this.#after(BOOT_MS, () => {
      this.#settings = RN2483_DEFAULTS;
      this.#startDevice();
      this.#say(RN2483_VERSION);
    });
  }

  #startDevice(): void {
    this.#device?.off();
    const device = createLorawanDevice({
      ...this.#options,
      region: REGIONS[this.#region],
      identity: this.#settings,
      version: "1.0.3",
      memory: { ...this.#memory, session: null },
      onMemory: (memory) => {
        this.#memory = memory;
        this.#options.onMemory?.(memory);
      },
    });
    device.adr = this.#settings.adr;
    device.setDataRate(this.#settings.dataRate);
    device.onEvent((event) => this.#tell(event));
    this.#device = device;
  }

  #endLine(): void {
    const line = this.#line;
    this.#line = "";
    if (line === "") return;
    const { resetOn, slowMs = 0 } = this.faults;
    if (resetOn !== undefined && line.startsWith(resetOn)) {
      const { resetOn: _once, ...others } = this.faults;
      this.faults = others;
      this.#boot();
      return;
    }
    const typingMs = lineMs(line.length, this.#options.baud ?? BAUD);
    this.#after(ANSWER_MS + slowMs + typingMs, () => this.#obey(line));
  }

  #obey(line: string): void {
    const [area = "", verb = "", name = "", value = "", ...more] = line.split(" ");
    const device = this.#device;
    if (device === null) return;
    if (line.length > LINE_LIMIT) this.#say("invalid_param");
    else if (line === "sys get ver") this.#say(RN2483_VERSION);
    else if (line === "sys reset") this.#boot();
    else if (area === "sys" && verb === "sleep") this.#fallAsleep(name);
    else if (area !== "mac") this.#say("invalid_param");
    else if (verb === "reset") this.#say(this.#resetMac(name));
    else if (verb === "set" && more.length === 0) this.#say(this.#set(device, name, value));
    else if (verb === "get") this.#say(getSetting(this.#settings, name) ?? "invalid_param");
    else if (verb === "join") this.#say(this.#join(device, name));
    else if (verb === "tx") this.#say(this.#transmit(device, [name, value, ...more]));
    else this.#say("invalid_param");
  }

  #resetMac(band: string): string {
    const region = RN2483_BANDS[band];
    if (region === undefined) return "invalid_param";
    this.#region = region;
    this.#settings = RN2483_DEFAULTS;
    this.#startDevice();
    return "ok";
  }

  #set(device: LorawanDevice, name: string, value: string): string {
    const before = this.#settings;
    const after = setSetting(before, name, value);
    if (after === null) return "invalid_param";
    this.#settings = after;
    if (/^(deveui|appeui|appkey)$/.test(name) && !device.busy) this.#startDevice();
    device.adr = after.adr;
    if (name === "dr") device.setDataRate(after.dataRate);
    return "ok";
  }

  #join(device: LorawanDevice, mode: string): string {
    if (mode !== "otaa") return "invalid_param";
    return hasKeys(this.#settings) ? wordOf(device.join()) : "keys_not_init";
  }

  #transmit(device: LorawanDevice, words: readonly string[]): string {
    const uplink = parseTx(words);
    if (uplink === null) return "invalid_param";
    this.#payload = this.#sent = null;
    return wordOf(device.send({ ...uplink, trials: this.#settings.retries + 1 }));
  }

  /** The end of an exchange is said once, when the device has told all of it. */
  #tell(event: DeviceEvent): void {
    if (event.type === "joined") this.#say("accepted");
    else if (event.type === "joinFailed") this.#say("denied");
    else if (event.type === "sent") {
      this.#sent = event;
      this.#after(ANSWER_MS, () => this.#sayEnd());
    } else if (event.type === "downlink" && event.fPort !== null && event.payload.length > 0)
      this.#payload = `mac_rx ${event.fPort} ${Buffer.from(event.payload).toString("hex").toUpperCase()}`;
  }

  #sayEnd(): void {
    const failed = this.#sent?.confirmed === true && !this.#sent.acknowledged;
    this.#say(failed ? "mac_err" : (this.#payload ?? "mac_tx_ok"));
  }

  #fallAsleep(forText: string): void {
    const forMs = /^\d{1,10}$/.test(forText) ? Number(forText) : 0;
    if (forMs < SHORTEST_SLEEP_MS || forMs > LONGEST_SLEEP_MS) this.#say("invalid_param");
    else this.#sleep = this.#after(forMs, () => this.#wake());
  }

  #wake(): void {
    if (this.#sleep === null) return;
    this.#sleep.cancel();
    this.#sleep = null;
    this.#say("ok");
  }

  #say(line: string): void {
    const { mute, garbageBytes = 0 } = this.faults;
    if (mute === true) return;
    const noise = Array.from({ length: garbageBytes }, () => Math.floor(this.#options.random() * 256));
    this.#uart.send(Uint8Array.from([...noise, ...Buffer.from(`${line}\r\n`, "latin1")]), 0);
  }

  #after(delayMs: number, act: () => void): Timer {
    const timer = this.#options.clock.setTimer(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs);
    this.#timers.add(timer);
    return timer;
  }
}

/** The immediate answer to a join or a frame. */
function wordOf(started: Started): string {
  if (started.type === "started") return "ok";
  if (started.type === "wait") return "no_free_ch";
  const words = {
    busy: "busy",
    notJoined: "not_joined",
    length: "invalid_data_len",
    dataRate: "no_free_ch",
  } as const;
  return words[started.reason];
}
