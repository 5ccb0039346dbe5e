/** What whoever knows the boards' firmware must offer for boards to be flashed and registered here. */

/** A serial port, a TCP socket or a PTY. */
export interface ByteStream {
  write(bytes: Uint8Array): void;
  onData(listener: (bytes: Uint8Array) => void): void;
  onEnd(listener: (reason: string) => void): void;
  close(): Promise<void>;
}

/** `content`: 8-bit string. */
export interface BoardFile {
  readonly name: string;
  readonly content: string;
}

/** A board that is stopped and asked who it is. Everything rejects with an Error named FlashError whose message says what
 *  to do. */
export interface BoardSession {
  readonly board: string;
  readonly version: string;
  /** The board's unique id. */
  readonly serial: string;
  /** Its file `identity`; null where there is none. */
  readonly identity: string | null;
  /** Forgets every file. */
  eraseAll(): Promise<void>;
  /** Writes what differs and verifies all; the names of what was written. */
  write(
    files: readonly BoardFile[],
    onProgress: (progress: { file: string; bytes: number; ofBytes: number }) => void,
  ): Promise<string[]>;
  /** Lets the board go on with what it has. Never rejects. */
  resume(): Promise<void>;
  /** Verifies once more that it is this board with these files, and starts it. */
  start(files: readonly BoardFile[]): Promise<void>;
}

/** How a board is wired. */
export interface BoardProfile {
  readonly pins: Readonly<Record<string, unknown>>;
  /** Boards with these pins, as Espruino names them. */
  readonly boards: readonly string[];
}

export interface Flasher {
  /** Uplinks of each role. */
  readonly programs: Readonly<Record<string, readonly string[]>>;
  /** Of a build by its name; undefined where there is none. */
  profile(build: string): BoardProfile | undefined;
  /** The program as it is flashed. */
  program(role: string, uplink: string): Promise<string>;
  /** Rejects when the board cannot carry this uplink. */
  connect(stream: ByteStream, uplink: string): Promise<BoardSession>;
}
