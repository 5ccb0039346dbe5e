/** What the hub's core and its annunciator child say to each other over the fork's channel. */
import type { AnnunciatorConfig } from "./config.ts";
import type { Outputs } from "./policy.ts";

export type ToAnnunciator =
  | { readonly type: "start"; readonly annunciators: readonly AnnunciatorConfig[] }
  /** All outputs of one annunciator, by its name. */
  | { readonly type: "show"; readonly name: string; readonly outputs: Outputs }
  | { readonly type: "stop" };

export type FromAnnunciator =
  /** Every second. */
  | { readonly type: "alive" }
  /** `reason` is null when it can be used. */
  | { readonly type: "line"; readonly name: string; readonly reason: string | null }
  | { readonly type: "silence"; readonly name: string };
