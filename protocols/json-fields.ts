/** Checked reading of JSON that a stranger sent: a CodecError names the field, what it was and what it should be.
 *  `path` and `name` are joined for the message only, so that good input costs no text. */
import { codecError } from "./device/codec-error.ts";

export type Json = Readonly<Record<string, unknown>>;

/** Throws a CodecError: its code is the field's name, so that codes can be counted, its message has the path. */
export function refuse(path: string, name: string, value: unknown, wanted: string): never {
  const shown =
    typeof value === "object" && value !== null ? "an object" : JSON.stringify(value)?.slice(0, 40);
  throw codecError(name, path + name + ": " + (shown ?? "missing") + ", not " + wanted);
}

/** The value as an object; null and arrays are none. */
export function objectOf(value: unknown, path: string, name: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    refuse(path, name, value, "an object");
  return value as Json;
}

/** A finite number in [min, max]. */
export function numberIn(json: Json, name: string, path: string, min: number, max: number): number {
  const value = json[name];
  // also refuses 1e999, which JSON reads as Infinity
  if (typeof value !== "number" || !(value >= min && value <= max)) {
    refuse(path, name, value, "a number from " + min + " to " + max);
  }
  return value;
}

/** Like `numberIn`; null where the field is missing or null. */
export function optionalNumber(
  json: Json,
  name: string,
  path: string,
  min: number,
  max: number,
): number | null {
  const value = json[name];
  return value === undefined || value === null ? null : numberIn(json, name, path, min, max);
}

/** A whole number in [min, max]. */
export function integerIn(json: Json, name: string, path: string, min: number, max: number): number {
  const value = numberIn(json, name, path, min, max);
  if (!Number.isInteger(value)) refuse(path, name, value, "a whole number");
  return value;
}

/** A string that matches. */
export function textIn(json: Json, name: string, path: string, pattern: RegExp): string {
  const value = json[name];
  if (typeof value !== "string" || !pattern.test(value))
    refuse(path, name, value, "text like " + pattern.source);
  return value;
}
