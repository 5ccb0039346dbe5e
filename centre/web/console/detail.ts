/** What the newest report of an incident says besides its kind: which fault, or what was measured. */
import { detailOf } from "../../../protocols/device/details.ts";
import type { Incident } from "../../incidents/incident.ts";
import type { Words } from "./words/shape.ts";

/** What a report of heat adds to its °C. */
const OFFSET_CELSIUS = 40;

/** As words; null where there is nothing to say. A fire panel names no measure: its 0 is none. */
export function detailText({ kind, state }: Pick<Incident, "kind" | "state">, w: Words): string | null {
  const detail = state?.detail ?? 0;
  if (kind === "heat" && detail > 0) return w.measures.celsius(detail - OFFSET_CELSIUS);
  if (kind === "smoke" && detail > 0) return w.measures.obscuration((detail / 10).toFixed(1));
  const name = detailOf(kind, detail);
  return name === undefined || name === "restarted" ? null : w.details[name];
}
