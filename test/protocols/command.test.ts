import { describe, expect, test } from "vitest";
import {
  type Command,
  decodeCommand,
  encodeCommand,
  openCommand,
  sealCommand,
} from "../../protocols/command.ts";
import { sha256Hex } from "../../protocols/cose.ts";
import { bitFlips, codeOf, testAnyBytes } from "./promises.ts";
import { CENTRE_KEY, HUB_KEY, keyring, REALM } from "./samples.ts";

const RESEND: Command = {
  version: 1,
  type: "resend",
  hub: HUB_KEY.kid,
  from: 17,
  to: 40,
  issuedMs: 1_790_000_000_000,
  nonce: "0011223344556677",
};

describe("command", () => {
  testAnyBytes({ encode: encodeCommand, decode: decodeCommand }, [encodeCommand(RESEND)]);

  test("opens to what the centre asked", () => {
    const sealed = sealCommand(RESEND, REALM, CENTRE_KEY);
    const opened = openCommand(sealed, REALM, keyring(CENTRE_KEY));
    expect(opened).toEqual({ command: RESEND, kid: CENTRE_KEY.kid, hash: sha256Hex(sealed) });
  });

  test("each flipped bit of each byte is refused", () => {
    for (const changed of bitFlips(sealCommand(RESEND, REALM, CENTRE_KEY))) {
      expect(codeOf(() => openCommand(changed, REALM, keyring(CENTRE_KEY)))).toBeDefined();
    }
  });

  test("a range that ends before it begins is refused both ways", () => {
    expect(codeOf(() => encodeCommand({ ...RESEND, to: 16 }))).toBe("field");
    const bytes = encodeCommand({ ...RESEND, from: 16, to: 16 });
    bytes[bytes.indexOf(16) + 2] = 15;
    expect(codeOf(() => decodeCommand(bytes))).toBe("field");
  });
});
