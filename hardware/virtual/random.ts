/** Randomness as an argument. */

/** Uniform in [0, 1), like Math.random. */
export type Random = () => number;

/** A reproducible generator (mulberry32): the same seed gives the same world. Not for keys. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** A generator of its own, drawn from `random`: one part of a world may draw more numbers without changing the others'. */
export function forkRandom(random: Random): Random {
  return createRandom(Math.floor(random() * 0x1_0000_0000));
}

/** Standard normal deviate (Box-Muller). */
export function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** One of `list`, or undefined when it is empty. */
export function pick<T>(random: Random, list: readonly T[]): T | undefined {
  return list[Math.floor(random() * list.length)];
}
