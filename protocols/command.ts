/** Command, centre → hub. There is one: send these records again. Nothing a centre can say silences an alarm.
 *  A COSE_Sign1 by the centre's receipt key with the external_aad "tugma/command/v1" ‖ realm. Payload, a CBOR map:
 *     1 version   2 type (0 resend)   3 hub id   4 from   5 to (included)   6 issued ms   7 nonce             */
import { domain, openSign1, sealSign1, sha256Hex } from "./cose.ts";
import { codecError } from "./device/codec-error.ts";
import { hex, integer, oneOf, recordCodec, version } from "./fields.ts";
import type { SigningKey, VerifyingKey } from "./signature.ts";

export interface ResendCommand {
  readonly version: 1;
  readonly type: "resend";
  readonly hub: string;
  /** Sequences, both included. */
  readonly from: number;
  readonly to: number;
  readonly issuedMs: number;
  /** 16 hex digits, random: two equal requests are still two. */
  readonly nonce: string;
}

export type Command = ResendCommand;

const codec = recordCodec<ResendCommand>("command", {
  version: [1, version(1)],
  type: [2, oneOf(["resend"])],
  hub: [3, hex(8)],
  from: [4, integer(1)],
  to: [5, integer(1)],
  issuedMs: [6, integer()],
  nonce: [7, hex(8)],
});

/** The payload, not yet signed. Throws a CodecError "field" for a value out of its bounds. */
export function encodeCommand(command: Command): Uint8Array {
  return codec.encode(checkRange(command));
}

/** Throws a CodecError: size, cbor, canonical, depth, range, version, missing, field, extra. */
export function decodeCommand(bytes: Uint8Array): Command {
  return checkRange(codec.decode(bytes));
}

/** The whole command, signed for this realm. */
export function sealCommand(command: Command, realm: string, key: SigningKey): Uint8Array {
  return sealSign1(encodeCommand(command), domain("command", realm), key);
}

/** Verifies first, then parses. Throws the CodecErrors of `openSign1` and `decodeCommand`. */
export function openCommand(
  bytes: Uint8Array,
  realm: string,
  keyOf: (kid: string) => VerifyingKey | undefined,
): { command: Command; kid: string; hash: string } {
  const { payload, kid } = openSign1(bytes, domain("command", realm), keyOf);
  return { command: decodeCommand(payload), kid, hash: sha256Hex(bytes) };
}

function checkRange(command: Command): Command {
  if (command.to < command.from)
    throw codecError("field", `command.to: ${command.to} is before ${command.from}`);
  return command;
}
