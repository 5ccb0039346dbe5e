/** A device whose registers nobody has described: what is there, what changes when somebody presses, and a draft of its
 *  profile. Nothing is written to the device. */
import { stringify } from "yaml";
import type { ModbusBus, Outcome } from "./bus.ts";
import { TABLES, type Table } from "./profile.ts";

export interface LearnRange {
  readonly unit: number;
  readonly table: Table;
  /** First address, on the wire, from 0. */
  readonly from: number;
  readonly count: number;
}

/** A register as it was read. `was`: its value before, null the first time. */
export interface Sighting {
  readonly address: number;
  readonly value: number;
  readonly was: number | null;
}

export interface Notebook {
  /** What is new or has changed of what was read. */
  see(address: number, values: readonly number[]): Sighting[];
  /** Every register that was read, by address. */
  registers(): LearntRegister[];
}

export interface LearntRegister {
  readonly address: number;
  readonly value: number;
  readonly changes: number;
  /** Every value so far, in the order of their coming; at most MAX_VALUES. */
  readonly values: readonly number[];
}

/** A measured value has no end of them. */
const MAX_VALUES = 16;

export function createNotebook(): Notebook {
  const known = new Map<number, { value: number; changes: number; values: number[] }>();
  return {
    see(address, values) {
      return values.flatMap((value, at): Sighting[] => {
        const register = known.get(address + at);
        if (register === undefined) {
          known.set(address + at, { value, changes: 0, values: [value] });
          return [{ address: address + at, value, was: null }];
        }
        if (register.value === value) return [];
        const was = register.value;
        register.value = value;
        register.changes++;
        if (!register.values.includes(value) && register.values.length < MAX_VALUES)
          register.values.push(value);
        return [{ address: address + at, value, was }];
      });
    },
    registers: () =>
      [...known]
        .map(([address, register]) => ({ address, ...register }))
        .sort((a, b) => a.address - b.address),
  };
}

/** Registers in one read. */
const BLOCK = 32;
const NOT_THERE: readonly number[] = [1, 2, 3, 4];

interface Stretch {
  readonly address: number;
  readonly count: number;
}

/** Reads a range again and again, and no more of what is not there. */
export function createScan(bus: Pick<ModbusBus, "read">, { unit, table, from, count }: LearnRange) {
  let stretches: Stretch[] = [];
  for (let at = 0; at < count; at += BLOCK)
    stretches.push({ address: from + at, count: Math.min(BLOCK, count - at) });

  const read = ({ address, count: size }: Stretch): Promise<Outcome> =>
    bus.read({ unit, functionCode: TABLES[table], address, count: size });

  /** What of a stretch can be read, in parts that the device has whole. */
  async function parts(stretch: Stretch, outcome: Outcome, take: Take): Promise<Stretch[]> {
    if (outcome.ok) {
      take(stretch.address, outcome.values);
      return [stretch];
    }
    const { failure } = outcome;
    if (failure.type !== "exception" || !NOT_THERE.includes(failure.exceptionCode)) return [stretch];
    if (stretch.count === 1) return [];
    const half = Math.ceil(stretch.count / 2);
    const halves = [
      { address: stretch.address, count: half },
      { address: stretch.address + half, count: stretch.count - half },
    ];
    const found: Stretch[] = [];
    for (const one of halves) found.push(...(await parts(one, await read(one), take)));
    return found;
  }

  return {
    /** Settles with how many reads of it had an answer. */
    async round(take: Take): Promise<number> {
      let answered = 0;
      const next: Stretch[] = [];
      for (const stretch of stretches) {
        const outcome = await read(stretch);
        if (outcome.ok || outcome.failure.type === "exception") answered++;
        next.push(...(await parts(stretch, outcome, take)));
      }
      stretches = next;
      return answered;
    },
    /** False when the device has nothing of the range. */
    get hasAny() {
      return stretches.length > 0;
    },
  };
}

type Take = (address: number, values: readonly number[]) => void;

/** Lines for hub.yaml, below `modbus: profiles:`. What was seen is trouble until somebody says what it means: a draft
 *  that is used as it is hides nothing. */
export function profileDraft({ table }: LearnRange, registers: readonly LearntRegister[]): string {
  const shown = registers.some(({ changes }) => changes > 0)
    ? registers.filter(({ changes }) => changes > 0)
    : registers;
  const first = shown[0]?.address ?? 0;
  const last = shown.at(-1)?.address ?? first;
  const isBits = table === "coils" || table === "discreteInputs";
  const seen = [...new Set(shown.flatMap(({ values }) => values))].sort((a, b) => a - b);
  const profile = {
    title: "Write what it is",
    source: "Write which document says so",
    table,
    address: first,
    from: 1,
    to: last - first + 1,
    ...(isBits
      ? { bits: [{ set: { 0: "fault write what it means" } }] }
      : { codes: { means: Object.fromEntries(seen.map((value) => [value, "fault write what it means"])) } }),
  };
  const comment = [
    "# Below modbus: profiles: in hub.yaml. Each value that was seen is a fault until you say what it means:",
    "# normal, fire, alarm, smoke, heat, callPoint, panic, medical, intrusion, tamper, technical, preAlarm, fault.",
  ];
  return `${comment.join("\n")}\n${stringify({ "my-device": profile })}`;
}
