/** What every decoder in protocols/ throws, and all it throws. `code` is for programs, `message` for people.
 *  A function, not a class: Espruino has no `class X extends Error`. */
export function codecError(code: string, message: string) {
  return Object.assign(new Error(message), { name: "CodecError", code: code });
}

export type CodecError = ReturnType<typeof codecError>;

/** True for errors made by `codecError`: malformed bytes, never a bug of ours. */
export function isCodecError(error: unknown): error is CodecError {
  return error instanceof Error && error.name === "CodecError";
}
