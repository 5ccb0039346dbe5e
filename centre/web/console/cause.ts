/** Why an incident was closed. The words that travel to the ledger, in the order of their digit keys. */
import type { Words } from "./words/shape.ts";

export const CAUSES = ["real", "user", "equipment", "weather", "test"] as const;
export type Cause = (typeof CAUSES)[number];

/** A cause as words; one that this page does not know is shown as it is. */
export function causeText(cause: string, w: Words): string {
  const known: Readonly<Record<string, string>> = w.causes;
  return known[cause] ?? cause;
}
