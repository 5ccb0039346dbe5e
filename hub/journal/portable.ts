/** Outcomes across the thread boundary: structured clone keeps an error's message but not what kind of error it is. */
import { codecError, isCodecError } from "../../protocols/device/codec-error.ts";
import { DiskRefused, type DiskTrouble } from "./disk.ts";
import type { Outcome } from "./store.ts";

export type PortableOutcome =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly message: string;
      readonly stack: string | undefined;
      readonly trouble: DiskTrouble | null;
      readonly code: string | null;
    };

export function toPortable(outcome: Outcome): PortableOutcome {
  if (outcome.ok) return outcome;
  const { error } = outcome;
  return {
    ok: false,
    message: error instanceof Error ? error.message : String(error),
    stack: error instanceof Error ? error.stack : undefined,
    trouble: error instanceof DiskRefused ? error.trouble : null,
    code: isCodecError(error) ? error.code : null,
  };
}

export function fromPortable(outcome: PortableOutcome): Outcome {
  if (outcome.ok) return outcome;
  const { message, trouble, code, stack } = outcome;
  if (trouble !== null) return { ok: false, error: new DiskRefused(trouble, message) };
  if (code !== null) return { ok: false, error: codecError(code, message) };
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return { ok: false, error };
}
