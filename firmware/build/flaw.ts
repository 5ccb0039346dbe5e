/** Something in a bundle that the board would refuse or understand otherwise. */
export interface Flaw {
  /** Offset into the linted code. */
  readonly start: number;
  readonly what: string;
}
