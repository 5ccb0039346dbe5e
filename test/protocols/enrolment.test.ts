import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../protocols/cose.ts";
import {
  decodeEnrolment,
  type Enrolment,
  encodeEnrolment,
  openEnrolment,
  sealEnrolment,
} from "../../protocols/enrolment.ts";
import { bitFlips, codeOf, testAnyBytes } from "./promises.ts";
import { CENTRE_KEY, ENROLMENT, HUB_KEY, keyring, REALM, SEALED_ENROLMENT, TPM_KEY } from "./samples.ts";

describe("enrolment", () => {
  testAnyBytes({ encode: encodeEnrolment, decode: decodeEnrolment }, [encodeEnrolment(ENROLMENT)]);

  test("opens to the enrolment; its hash is where the hub's chain begins", () => {
    const opened = openEnrolment(SEALED_ENROLMENT, REALM, keyring(CENTRE_KEY));
    expect(opened).toEqual({ enrolment: ENROLMENT, kid: CENTRE_KEY.kid, hash: sha256Hex(SEALED_ENROLMENT) });
  });

  test("a hub with its key in a TPM is enrolled in the same way", () => {
    const enrolment: Enrolment = { ...ENROLMENT, hubPublicKey: TPM_KEY.publicKey, hubAlg: TPM_KEY.alg };
    const sealed = sealEnrolment(enrolment, CENTRE_KEY);
    expect(openEnrolment(sealed, REALM, keyring(CENTRE_KEY)).enrolment).toEqual(enrolment);
  });

  test("each flipped bit of each byte is refused", () => {
    const keys = keyring(CENTRE_KEY);
    for (const changed of bitFlips(SEALED_ENROLMENT)) {
      expect(codeOf(() => openEnrolment(changed, REALM, keys))).toBeDefined();
    }
  });

  test("an enrolment that names another receipt key than the one that signed it is refused", () => {
    const sealed = sealEnrolment(ENROLMENT, HUB_KEY);
    expect(codeOf(() => openEnrolment(sealed, REALM, keyring(HUB_KEY)))).toBe("enrolment");
  });

  test("an enrolment for another realm is refused", () => {
    const sealed = sealEnrolment({ ...ENROLMENT, realm: "samarqand" }, CENTRE_KEY);
    expect(codeOf(() => openEnrolment(sealed, REALM, keyring(CENTRE_KEY)))).toBe("signature");
  });

  test("an algorithm that is none of the two is refused", () => {
    expect(codeOf(() => encodeEnrolment({ ...ENROLMENT, hubAlg: -8 as -9 }))).toBe("field");
    const bytes = encodeEnrolment(ENROLMENT);
    const at = Buffer.from(bytes).indexOf(Buffer.from("0532", "hex"));
    bytes[at + 1] = 0x31;
    expect(codeOf(() => decodeEnrolment(bytes))).toBe("field");
  });
});
