/** A copy of `value` with some of it changed: what a spread would say on a board that had one. */
export function change<T>(value: T, by: Partial<T>): T {
  return Object.assign({}, value, by);
}
