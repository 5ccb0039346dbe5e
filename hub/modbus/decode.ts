/** From the values of one point to what is the matter there. Pure. Whatever the profile does not know is trouble. */
import type { EventKind } from "../../protocols/hub-kinds.ts";
import { meaningOf, type PointKind } from "./meaning.ts";
import type { Profile } from "./profile.ts";

/** Something that is the matter at a point. */
export interface Condition {
  /** The same for as long as it is the same thing: `code 37`, `bit 13`, `unknown code`, `unread`. */
  readonly key: string;
  readonly kind: EventKind;
  readonly text: string;
}

export interface Reading {
  readonly conditions: readonly Condition[];
  /** False: there may be more than could be said, so that nothing can be taken for over. */
  readonly isComplete: boolean;
}

/** What the installer said of the point. */
export interface PointFacts {
  readonly kind?: PointKind | undefined;
  /** Limits of a measured value. */
  readonly above?: number | undefined;
  readonly below?: number | undefined;
  readonly hysteresis?: number | undefined;
}

const NOTHING: Reading = { conditions: [], isComplete: true };

/** `values`: as many as the profile's width. `isOpen`: which conditions stand already, for the hysteresis of limits. */
export function decodePoint(
  profile: Profile,
  facts: PointFacts,
  values: readonly number[],
  isOpen: (key: string) => boolean,
): Reading {
  const words = wordsOf(profile, values);
  const { absent } = profile;
  if (absent !== undefined && (wordAt(words, absent.word) & absent.mask) === absent.equals)
    return trouble("absent", "the panel has no such point");
  return merged([
    codes(profile, facts, words),
    ...(profile.bits ?? []).map((rule) => bits(rule, facts, words)),
    value(profile, facts, words, isOpen),
  ]);
}

/** The point cannot be read; what was the matter there may still be. */
export function unread(text: string): Reading {
  return { ...trouble("unread", text), isComplete: false };
}

function trouble(key: string, text: string): Reading {
  return { conditions: [{ key, kind: "fault", text }], isComplete: true };
}

/** Bits of a table of bits are one word, the first one lowest. */
function wordsOf({ table }: Profile, values: readonly number[]): readonly number[] {
  if (table === "holdingRegisters" || table === "inputRegisters") return values;
  return [values.reduce((packed, bit, at) => packed | (bit << at), 0)];
}

function wordAt(words: readonly number[], at: number): number {
  const word = words[at];
  if (word === undefined) throw new Error(`modbus: a profile asks for word ${at} of ${words.length}`);
  return word;
}

function codes({ codes: rule }: Profile, { kind }: PointFacts, words: readonly number[]): Reading {
  if (rule === undefined) return NOTHING;
  const word = wordAt(words, rule.word);
  if (rule.when !== undefined && (word & (1 << rule.when)) === 0) return NOTHING;
  const [first, second] = codesIn(word, rule.byte);
  const said = second === undefined ? [first] : [first, second];
  const conditions = said.flatMap((code) => {
    const meant = rule.means[String(code)];
    // all unknown ones are one condition: a map that does not fit must not fill the journal
    if (meant === undefined) return [{ key: "unknown code", kind: "fault" as const, text: `code ${code}` }];
    return condition(`code ${code}`, meant, kind);
  });
  // a third one would not show
  return { conditions, isComplete: rule.byte !== "both" || conditions.length < 2 };
}

/** In `both`, 0 in the low byte is no code. In the high byte it is one, and unknown: a zone always has a state. */
function codesIn(word: number, byte: "both" | "high" | "low" | "whole"): readonly [number, number?] {
  if (byte === "whole") return [word];
  if (byte === "low") return [word & 0xff];
  const low = word & 0xff;
  return byte === "high" || low === 0 ? [word >> 8] : [word >> 8, low];
}

type BitsRule = NonNullable<Profile["bits"]>[number];

function bits(rule: BitsRule, { kind }: PointFacts, words: readonly number[]): Reading {
  const word = wordAt(words, rule.word);
  const at = (bit: number) => (rule.word === 0 ? `bit ${bit}` : `word ${rule.word} bit ${bit}`);
  const conditions: Condition[] = [];
  for (let bit = 0; bit < 16; bit++) {
    const isSet = (word & (1 << bit)) !== 0;
    const meant = (isSet ? rule.set : rule.clear)?.[String(bit)];
    if (meant === undefined && (!isSet || rule.ignore.includes(bit))) continue;
    if (meant === undefined)
      conditions.push({ key: `unknown ${at(bit)}`, kind: "fault", text: "not in the profile" });
    else conditions.push(...condition(isSet ? at(bit) : `no ${at(bit)}`, meant, kind));
  }
  for (const group of rule.oneOf) {
    if (group.every((bit) => (word & (1 << bit)) === 0))
      conditions.push(...trouble(`none of ${group.join(", ")}`, "it does not say how it is").conditions);
  }
  return { conditions, isComplete: true };
}

function condition(key: string, meant: string, pointKind: PointKind | undefined): Condition[] {
  const { kind, text } = meaningOf(meant, pointKind);
  return kind === null ? [] : [{ key, kind, text }];
}

function value(
  { value: rule }: Profile,
  facts: PointFacts,
  words: readonly number[],
  isOpen: (key: string) => boolean,
): Reading {
  if (rule === undefined) return NOTHING;
  const word = wordAt(words, rule.word);
  const measured = (rule.signed && word >= 0x8000 ? word - 0x1_0000 : word) / 2 ** rule.fractionBits;
  const { kind = "technical", above, below, hysteresis = 1 } = facts;
  const slack = (key: string) => (isOpen(key) ? hysteresis : 0);
  const shown = `${Number(measured.toFixed(2))}${rule.unit === "" ? "" : ` ${rule.unit}`}`;
  const conditions: Condition[] = [];
  if (above !== undefined && measured > above - slack("above"))
    conditions.push({ key: "above", kind, text: `${shown}, above ${above}` });
  if (below !== undefined && measured < below + slack("below"))
    conditions.push({ key: "below", kind, text: `${shown}, below ${below}` });
  return { conditions, isComplete: true };
}

function merged(readings: readonly Reading[]): Reading {
  return {
    conditions: readings.flatMap(({ conditions }) => conditions),
    isComplete: readings.every(({ isComplete }) => isComplete),
  };
}
