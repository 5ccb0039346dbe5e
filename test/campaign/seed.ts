/** A campaign's luck: printed, and the same again with TUGMA_SEED. Real time is not repeated, only what is drawn. */
import { randomInt } from "node:crypto";
import { createRandom, type Random } from "../../hardware/virtual/random.ts";

const MAX_SEED = 2 ** 31;

/** Draws or takes the seed, prints it, and gives its generator. Throws for a TUGMA_SEED that is no seed. */
export function campaignRandom(campaign: string): Random {
  const given = process.env["TUGMA_SEED"];
  const seed = given === undefined ? randomInt(MAX_SEED) : Number(given);
  if (!Number.isInteger(seed) || seed < 0 || seed >= MAX_SEED)
    throw new Error(`TUGMA_SEED=${given}: expected a whole number from 0 to ${MAX_SEED - 1}`);
  console.log(`${campaign}: TUGMA_SEED=${seed} repeats it`);
  return createRandom(seed);
}
