/** An Arduino Uno in software: avr8js runs the unmodified program of an ATmega328P at 16 MHz, with its serial port, its pins
 *  and its analog inputs. Not modelled: the bootloader, the reset that opening the USB port causes, currents. */
import {
  ADCReference,
  AVRADC,
  AVRIOPort,
  AVRTimer,
  AVRUSART,
  adcConfig,
  avrInstruction,
  CPU,
  PinState,
  portBConfig,
  portCConfig,
  portDConfig,
  timer0Config,
  timer1Config,
  timer2Config,
  usart0Config,
} from "avr8js";
import type { Clock, Timer } from "./clock.ts";

export interface Arduino {
  powerOn(): void;
  /** All outputs fall; what was in memory is gone. */
  powerOff(): void;
  /** Bytes from the host. Those that come while the serial port is not set up are lost. */
  write(bytes: Uint8Array): void;
  onData(listener: (bytes: Uint8Array) => void): void;
  /** What a digital pin (0-13) drives: true only for an output that is high. */
  level(pin: number): boolean;
  /** Called when the level that pin 0-13 drives has changed. */
  onPin(listener: (pin: number, level: boolean) => void): void;
  /** What the outside does to a digital pin that is an input. Without it a pull-up decides. */
  setPin(pin: number, level: boolean): void;
  /** Volts (0-5) at analog input 0-5. */
  setAnalog(channel: number, volts: number): void;
}

const CLOCK_HZ = 16_000_000;
const FLASH_BYTES = 0x8000;
const STEP_MS = 2;
/** What a busy machine does not get done in time is left out rather than made up for. */
const MAX_BEHIND_MS = 50;
const SUPPLY_V = 5;

/** `hex`: the program, as Intel HEX; throws when it is damaged. Switched off until `powerOn`. */
export function createArduino({ clock, hex }: { readonly clock: Clock; readonly hex: string }): Arduino {
  const program = readIntelHex(hex);
  const hearers: ((bytes: Uint8Array) => void)[] = [];
  const watchers: ((pin: number, level: boolean) => void)[] = [];
  const outside = new Map<number, boolean>();
  const volts = new Map<number, number>();
  let chip: Chip | null = null;
  let timer: Timer | null = null;
  let input: number[] = [];
  const levels = new Map<number, boolean>();

  const show = (pin: number, level: boolean) => {
    if ((levels.get(pin) ?? false) === level) return;
    levels.set(pin, level);
    for (const watcher of watchers) watcher(pin, level);
  };
  const feed = () => {
    const [byte] = input;
    if (byte !== undefined && chip?.usart.writeByte(byte)) input.shift();
  };

  function powerOn(): void {
    if (chip !== null) return;
    const made = createChip(program, show);
    chip = made;
    for (const [pin, level] of outside) made.setPin(pin, level);
    for (const [channel, level] of volts) made.adc.channelValues[channel] = level;
    made.usart.onRxComplete = feed;
    let said: number[] = [];
    made.usart.onByteTransmit = (byte) => void said.push(byte);
    let lastMs = clock.monotonicMs();
    const step = () => {
      const nowMs = clock.monotonicMs();
      made.run(Math.min(MAX_BEHIND_MS, nowMs - lastMs));
      lastMs = nowMs;
      if (said.length > 0) for (const hearer of hearers) hearer(Uint8Array.from(said));
      said = [];
      timer = clock.setTimer(step, STEP_MS);
    };
    timer = clock.setTimer(step, STEP_MS);
  }

  return {
    powerOn,
    powerOff() {
      timer?.cancel();
      chip = null;
      input = [];
      for (const pin of levels.keys()) show(pin, false);
    },
    write(bytes) {
      if (!chip?.usart.rxEnable) return;
      const isIdle = input.length === 0;
      input.push(...bytes);
      if (isIdle) feed();
    },
    onData: (listener) => void hearers.push(listener),
    level: (pin) => levels.get(pin) ?? false,
    onPin: (listener) => void watchers.push(listener),
    setPin(pin, level) {
      outside.set(pin, level);
      chip?.setPin(pin, level);
    },
    setAnalog(channel, level) {
      volts.set(channel, level);
      if (chip !== null) chip.adc.channelValues[channel] = level;
    },
  };
}

interface Chip {
  readonly usart: AVRUSART;
  readonly adc: AVRADC;
  setPin(pin: number, level: boolean): void;
  /** Runs for so long. */
  run(ms: number): void;
}

function createChip(program: Uint16Array, show: (pin: number, level: boolean) => void): Chip {
  const cpu = new CPU(program);
  for (const config of [timer0Config, timer1Config, timer2Config]) new AVRTimer(cpu, config);
  const usart = new AVRUSART(cpu, usart0Config, CLOCK_HZ);
  const adc = new AVRADC(cpu, { ...adcConfig, adcReferences: adcConfig.adcReferences.map(onBoard) });
  adc.avcc = SUPPLY_V;
  const portD = new AVRIOPort(cpu, portDConfig);
  const portB = new AVRIOPort(cpu, portBConfig);
  new AVRIOPort(cpu, portCConfig);
  const watch = (port: AVRIOPort, first: number, count: number) =>
    port.addListener(() => {
      for (let bit = 0; bit < count; bit++) show(first + bit, port.pinState(bit) === PinState.High);
    });
  watch(portD, 0, 8);
  watch(portB, 8, 6);
  return {
    usart,
    adc,
    setPin: (pin, level) => (pin < 8 ? portD.setPin(pin, level) : portB.setPin(pin - 8, level)),
    run(ms) {
      const until = cpu.cycles + (ms * CLOCK_HZ) / 1000;
      while (cpu.cycles < until) {
        avrInstruction(cpu);
        cpu.tick();
      }
    },
  };
}

/** An Uno leaves AREF open: a program that asks for it would measure nothing. */
function onBoard(reference: ADCReference): ADCReference {
  return reference === ADCReference.AREF ? ADCReference.AVCC : reference;
}

/** Words of the flash, from lines `:length address type data checksum`. Only types 0 (data) and 1 (end) occur for it. */
function readIntelHex(hex: string): Uint16Array {
  const bytes = new Uint8Array(FLASH_BYTES);
  for (const [index, line] of hex.trim().split(/\r?\n/).entries()) {
    const row = Buffer.from(line.slice(1), "hex");
    const [length = 0, high = 0, low = 0, type = 0] = row;
    const sum = row.reduce((total, byte) => total + byte, 0) & 0xff;
    const address = high * 256 + low;
    if (line[0] !== ":" || row.length !== length + 5 || sum !== 0 || type > 1)
      throw new Error(`Intel HEX, line ${index + 1}: damaged, or of a kind that no 32 KiB program needs`);
    if (address + length > FLASH_BYTES) throw new Error(`Intel HEX, line ${index + 1}: beyond the flash`);
    if (type === 0) bytes.set(row.subarray(4, 4 + length), address);
  }
  return new Uint16Array(bytes.buffer);
}
