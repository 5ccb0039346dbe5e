/** Pins of a board: what the world puts on its inputs, what the program puts on its outputs. Levels
 *  outlive a power cut on inputs only. */

export interface Edge {
  readonly pin: string;
  readonly level: number;
}

export type Level = number | (() => number);

/** Where a pin reads as 1. */
const HIGH = 0.5;

export interface Pins {
  /** The world drives an input: 0, 1, a share of the supply for an analog one, or whatever it is when somebody looks; null
   *  lets go of it. */
  drive(pin: string, level: Level | null): void;
  /** A share of the supply. */
  read(pin: string): number;
  /** 0 or 1. */
  level(pin: string): number;
  mode(pin: string, mode: string): void;
  /** Several pins: the last takes bit 0. */
  write(pins: string | readonly string[], level: number): void;
  output(pin: string): number;
  onEdge(listener: (edge: Edge) => void): void;
  onOutput(listener: (pins: readonly string[]) => void): void;
  /** Power is gone: every output is low, every pull is off. */
  clear(): void;
}

export function createPins(initial: Readonly<Record<string, Level>> = {}): Pins {
  const driven = new Map<string, Level>(Object.entries(initial));
  const modes = new Map<string, string>();
  const outputs = new Map<string, number>();
  const edges: ((edge: Edge) => void)[] = [];
  const writes: ((pins: readonly string[]) => void)[] = [];
  const read = (pin: string) => {
    const level = driven.get(pin) ?? (modes.get(pin) === "input_pullup" ? 1 : 0);
    return typeof level === "number" ? level : level();
  };
  const digital = (pin: string) => Number(read(pin) >= HIGH);
  const change = (changes: () => void, pin: string) => {
    const before = digital(pin);
    changes();
    const level = digital(pin);
    if (level !== before) for (const listener of edges) listener({ pin, level });
  };
  return {
    read,
    level: digital,
    mode: (pin, mode) => void modes.set(pin, mode),
    output: (pin) => outputs.get(pin) ?? 0,
    onEdge: (listener) => void edges.push(listener),
    onOutput: (listener) => void writes.push(listener),
    drive: (pin, level) => change(() => (level === null ? driven.delete(pin) : driven.set(pin, level)), pin),
    write(pins, level) {
      const list = typeof pins === "string" ? [pins] : [...pins];
      list.reverse().forEach((pin, bit) => {
        outputs.set(pin, list.length === 1 ? Number(Boolean(level)) : (level >> bit) & 1);
      });
      for (const listener of writes) listener(list);
    },
    clear() {
      const were = [...outputs.keys()];
      outputs.clear();
      modes.clear();
      for (const listener of writes) listener(were);
    },
  };
}
