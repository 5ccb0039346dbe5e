/** `value` in hex, at least `digits` long. */
export function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
