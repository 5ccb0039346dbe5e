/** The part of sodium-native 5 that signature.ts uses; the package brings no types. Arguments are typed arrays of exact
 *  length, except that `crypto_sign_verify_detached` takes a signature that is too long: the caller checks it. */
declare module "sodium-native" {
  export function crypto_sign_detached(
    signature: Uint8Array,
    message: Uint8Array,
    secretKey: Uint8Array,
  ): void;
  export function crypto_sign_verify_detached(
    signature: Uint8Array,
    message: Uint8Array,
    publicKey: Uint8Array,
  ): boolean;
  export function crypto_core_ed25519_is_valid_point(point: Uint8Array): boolean;
}
