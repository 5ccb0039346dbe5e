/** A RAK3172 LoRaWAN modem with RUI3 4.x: AT commands on a byte stream, the MAC of lorawan-device.ts behind them.
 *  Line formats and their order as in RAK's own firmware (service_lora.c): a status line stands between blank CRLFs, the
 *  received data comes after the confirmation of the uplink it answered, a join is lost with every reset. */
import { REGIONS, type RegionName } from "../../protocols/lorawan/regions.ts";
import type { Timer } from "./clock.ts";
import type { DeviceEvent, LorawanDevice, Started } from "./device-types.ts";
import { createLorawanDevice } from "./lorawan-device.ts";
import {
  BANNER,
  eventLine,
  FIRMWARE,
  restrictedLine,
  type Status,
  statusOf,
  wantsUplink,
} from "./rak3172-lines.ts";
import {
  BLANK_FLASH,
  createSettingCommands,
  parseJoin,
  parseSend,
  type Rak3172Flash,
  type Rak3172Settings,
  RUI3_BANDS,
} from "./rak3172-settings.ts";
import type { ModemFaults, Rak3172, Rak3172Options } from "./rak3172-types.ts";
import { createUartOut, DEFAULT_BAUD, lineMs, type UartOut } from "./uart.ts";

const ANSWER_MS = 2;
const BOOT_MS = 300;
/** Between the confirmation of an uplink and the data that came with it. */
const RX_LINE_MS = 20;
/** Longest line: AT+SEND with the largest payload. */
const LINE_LIMIT = 512;
const EMPTY_UPLINK_PORT = 2;

export function createRak3172(options: Rak3172Options): Rak3172 {
  return new Modem(options);
}

class Modem implements Rak3172 {
  faults: ModemFaults = {};
  readonly #options: Rak3172Options;
  readonly #uart: UartOut;
  readonly #commands: ReturnType<typeof createSettingCommands>;
  readonly #bands: Readonly<Record<number, RegionName>>;
  readonly #timers = new Set<Timer>();
  #flash: Rak3172Flash;
  #device: LorawanDevice | null = null;
  #powered = false;
  #line = "";
  #joinsLeft = 0;
  #joinTimer: Timer | null = null;
  #lastConfirmed = false;

  constructor(options: Rak3172Options) {
    this.#options = options;
    this.#uart = createUartOut(options);
    this.#bands = options.bands ?? RUI3_BANDS;
    this.#commands = createSettingCommands(this.#bands);
    this.#flash = options.flash ?? BLANK_FLASH;
  }

  get powered(): boolean {
    return this.#powered;
  }
  get joined(): boolean {
    return this.#device?.joined ?? false;
  }
  get flash(): Rak3172Flash {
    return this.#flash;
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.#uart.onData(listener);
  }

  write(bytes: Uint8Array): void {
    if (this.#device === null || this.faults.mute === true) return;
    for (const byte of bytes) {
      const character = String.fromCharCode(byte);
      if (character === "\r" || character === "\n") this.#endLine();
      // what is too long for the buffer is answered as one bad line, not as several
      else if (this.#line.length <= LINE_LIMIT) this.#line += character;
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

  #stop(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#uart.clear();
    this.#device?.off();
    this.#device = null;
    this.#line = "";
    this.#joinsLeft = 0;
  }

  #boot(): void {
    this.#stop();
    this.#after(BOOT_MS, () => {
      this.#startDevice();
      this.#say(BANNER, 0);
      if (this.#flash.settings.joinAtBoot) this.#join();
    });
  }

  /** RUI3 restores its settings and the DevNonce, never the session. */
  #startDevice(): void {
    const { settings, memory } = this.#flash;
    const region = REGIONS[this.#bands[settings.band] ?? "EU868"];
    this.#device?.off();
    const device = createLorawanDevice({
      ...this.#options,
      region,
      identity: settings,
      memory: { ...memory, session: null },
      onMemory: (changed) => this.#save({ memory: { ...changed, session: null } }),
    });
    device.adr = settings.adr;
    device.setDataRate(settings.dataRate);
    device.setClass(settings.deviceClass);
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
    const typingMs = lineMs(line.length, this.#options.baud ?? DEFAULT_BAUD);
    this.#after(ANSWER_MS + slowMs + typingMs, () => this.#obey(line));
  }

  #obey(line: string): void {
    const [name = "", value] = splitOnce(line);
    const command = name.toUpperCase();
    const device = this.#device;
    if (device === null) return;
    // the only command without a status line
    if (command === "ATZ") this.#boot();
    else if (line.length > LINE_LIMIT) this.#status("AT_ERROR");
    else if (command === "AT" && value === undefined) this.#status("OK");
    else if (command === "AT+JOIN") this.#status(this.#obeyJoin(value ?? "1"));
    else if (command === "AT+SEND") this.#status(this.#obeySend(device, value ?? ""));
    else if (value === "?") this.#read(command, device);
    else this.#status(this.#write(command, device, value));
  }

  #read(command: string, device: LorawanDevice): void {
    const facts: Readonly<Record<string, string>> = {
      "AT+NJS": device.joined ? "1" : "0",
      "AT+VER": FIRMWARE,
      "AT+CFS": this.#lastConfirmed ? "1" : "0",
      "AT+DR": String(device.dataRate),
    };
    const value = facts[command] ?? this.#commands.get(command)?.read(this.#flash.settings);
    if (value !== undefined) this.#say(`${command}=${value}\r\n`, 0);
    this.#status(value === undefined ? "AT_COMMAND_NOT_FOUND" : "OK");
  }

  #write(command: string, device: LorawanDevice, value: string | undefined): Status {
    const setting = this.#commands.get(command);
    if (setting === undefined) return "AT_COMMAND_NOT_FOUND";
    const before = this.#flash.settings;
    const after = value === undefined ? null : setting.write(before, value);
    if (after === null) return "AT_PARAM_ERROR";
    if (restarts(before, after)) {
      if (device.busy) return "AT_BUSY_ERROR";
      this.#save({ settings: after });
      this.#startDevice();
      return "OK";
    }
    this.#save({ settings: after });
    device.adr = after.adr;
    if (command === "AT+DR") device.setDataRate(after.dataRate);
    if (command === "AT+CLASS") device.setClass(after.deviceClass);
    return "OK";
  }

  #obeyJoin(value: string): Status {
    const wanted = parseJoin(this.#flash.settings, value);
    if (wanted === null) return "AT_PARAM_ERROR";
    this.#save({ settings: wanted.settings });
    const status = wanted.start ? this.#join() : "OK";
    // a join refused leaves the one under way as it is
    if (status !== "OK") return status;
    this.#joinTimer?.cancel();
    this.#joinsLeft = wanted.start ? wanted.settings.joinRetries : 0;
    return status;
  }

  #join(): Status {
    return this.#device === null ? "AT_ERROR" : this.#outcome(this.#device.join());
  }

  /** The module's own repetition: its timer goes on while the duty cycle forbids the join. */
  #joinLater(): void {
    this.#joinTimer?.cancel();
    this.#joinTimer = this.#after(this.#flash.settings.joinPeriodS * 1000, () => {
      if (this.#join() === "OK") this.#joinsLeft--;
      else this.#joinLater();
    });
  }

  #obeySend(device: LorawanDevice, value: string): Status {
    const wanted = parseSend(value);
    if (wanted === null) return "AT_PARAM_ERROR";
    const { confirmed, retries } = this.#flash.settings;
    return this.#outcome(device.send({ ...wanted, confirmed, trials: retries + 1 }));
  }

  #outcome(started: Started): Status {
    // RUI3 says how long, and then what it says to everything it cannot do now
    if (started.type === "wait") this.#say(restrictedLine(started.waitMs), 0);
    return statusOf(started);
  }

  #tell(event: DeviceEvent): void {
    const line = eventLine(event);
    if (line !== null) this.#say(line, event.type === "downlink" ? RX_LINE_MS : 0);
    if (event.type === "joined") this.#joinsLeft = 0;
    if (event.type === "sent") this.#lastConfirmed = event.acknowledged;
    if (event.type === "joinFailed" && this.#joinsLeft > 0) this.#joinLater();
    if (event.type === "downlink" && wantsUplink(event, this.#flash.settings.deviceClass)) {
      // one that is refused now is not tried again
      this.#device?.send({ fPort: EMPTY_UPLINK_PORT, payload: new Uint8Array(0), confirmed: false });
    }
  }

  #status(status: Status): void {
    this.#say(`\r\n${status}\r\n`, 0);
  }

  #say(text: string, delayMs: number): void {
    const { mute, garbageBytes = 0 } = this.faults;
    if (mute === true) return;
    const noise = Array.from({ length: garbageBytes }, () => Math.floor(this.#options.random() * 256));
    this.#uart.send(Uint8Array.from([...noise, ...Buffer.from(text, "latin1")]), delayMs);
  }

  #after(delayMs: number, act: () => void): Timer {
    const timer = this.#options.clock.setTimer(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs);
    this.#timers.add(timer);
    return timer;
  }

  #save(change: Partial<Rak3172Flash>): void {
    this.#flash = { ...this.#flash, ...change };
    this.#options.onFlash?.(this.#flash);
  }
}

/** Settings whose change starts the LoRaWAN stack anew, and so loses the join. */
function restarts(before: Rak3172Settings, after: Rak3172Settings): boolean {
  return (["devEui", "joinEui", "appKey", "band"] as const).some((name) => before[name] !== after[name]);
}

/** "AT+X=1=2" → ["AT+X", "1=2"]. */
function splitOnce(line: string): [string, string | undefined] {
  const at = line.indexOf("=");
  return at < 0 ? [line, undefined] : [line.slice(0, at), line.slice(at + 1)];
}
