/** The board that a program runs on: its clock, its luck, and who it is. */
import type { Identity } from "./identity.ts";
import { isUsable } from "./uplink-rak3172.ts";

export const storage = require("Storage");

/** Milliseconds on the scale of `getTime`. */
export function now(): number {
  return getTime() * 1000;
}

/** 0 to 1. Not Math.random, which begins alike on every board. */
export function luck(): number {
  return (E.hwRand() & 0xffff) / 65536;
}

function readIdentity(): Identity {
  const found = (storage.readJSON("identity", true) ?? {}) as Identity;
  if (found.profile !== undefined && isUsable(found)) return found;
  throw new Error("no identity for this board: flash it");
}

export const identity = readIdentity();
export const bootMs = now();
