/** What supervision finds: something is lost, or is back. */
import type { EventKind } from "../protocols/hub-kinds.ts";

export interface Trouble {
  readonly kind: EventKind;
  /** DevEUI, or null: the hub itself. */
  readonly device: string | null;
  /** What a person reads: the gateway, the bus, the path, how many. At most 80 characters. */
  readonly note: string | null;
}
