/** What drives the outputs of one annunciator. */
export interface Driver {
  /** Energises what is true, by the output's name, and nothing else; also after it was lost and is back. */
  set(levels: Readonly<Record<string, boolean>>): void;
  /** Switches everything off. */
  close(): Promise<void>;
}

export interface DriverEvents {
  /** Its outputs are as they were `set`, and it proves so from time to time. Called once each time. */
  up(): void;
  /** Once each time it is lost, and at the first attempt that fails. */
  down(reason: string): void;
  /** The silence key was pressed. */
  silence(): void;
}
