/** The console of an Espruino board, over any stream of bytes: questions with their answers, and packets (Espruino's
 *  README_Protocol, 2v25 and later). Text is an 8-bit string throughout. */

/** A serial port, a TCP socket or a PTY. `onEnd` may be called more than once; the first reason counts. */
export interface ByteStream {
  write(bytes: Uint8Array): void;
  onData(listener: (bytes: Uint8Array) => void): void;
  onEnd(listener: (reason: string) => void): void;
  close(): Promise<void>;
}

export type FlashFailure =
  | "noConsole"
  | "unplugged"
  | "wrongBoard"
  | "tooOld"
  | "storageFull"
  | "badChecksum"
  | "swapped"
  | "refused"
  | "notStarting";

/** Why a board could not be flashed; the message says what to do. */
export class FlashError extends Error {
  override readonly name = "FlashError";
  readonly code: FlashFailure;
  constructor(code: FlashFailure, message: string) {
    super(message);
    this.code = code;
  }
}

export interface ConsoleTiming {
  /** For an answer. */
  readonly answerMs: number;
  /** For the erasing of all flash. */
  readonly eraseMs: number;
  /** For the first sign of a console. */
  readonly greetMs: number;
  /** How long a started program is listened to. */
  readonly startMs: number;
}

export const CONSOLE_TIMING: ConsoleTiming = {
  answerMs: 5_000,
  eraseMs: 40_000,
  greetMs: 1_000,
  startMs: 1_500,
};

export interface BoardConsole {
  /** Interrupts what runs and waits for a console. Throws FlashError `noConsole`. */
  greet(): Promise<void>;
  /** The value of an expression that JSON can carry. `tries`: how often it may be asked when no answer comes
   *  within `limitMs`. Throws
   *  FlashError: `refused` with what the board threw, `noConsole` when it does not answer. */
  ask(expression: string, tries?: number, limitMs?: number): Promise<unknown>;
  /** Sends a line and listens for `forMs`. The text heard, also when the stream ends. */
  listen(statement: string, forMs: number): Promise<string>;
  /** Sends a packet; whether the board took it. False also when it says nothing. */
  packet(type: PacketType, data: string): Promise<boolean>;
}

/** High bits of a packet's length. */
export const PACKET = { fileSend: 0x6000, data: 0x8000 } as const;
export type PacketType = (typeof PACKET)[keyof typeof PACKET];

/** A packet's length is 13 bits; small boards have little room to keep one. */
export const MAX_PACKET_BYTES = 1024;

const CTRL_C = "\x03";
const QUIET_LINE = "\x10";
const PACKET_START = "\x10\x01";
const ACK = "\x06";
const NAK = "\x15";
const GREETINGS = 3;
const TRIES = 3;
/** What is heard and not asked for is dropped beyond this. */
const MAX_HEARD = 65_536;
/** With these a board slows the line; the operating system obeys them where there is a port. */
const XON = "\x11";
const XOFF = "\x13";

/** Opens the console of whatever board is on the stream. */
export function openConsole(stream: ByteStream, timing: ConsoleTiming = CONSOLE_TIMING): BoardConsole {
  const hearing = hear(stream);
  const { waitFor } = hearing;
  let asked = 0;
  const send = (text: string) => stream.write(Uint8Array.from(Buffer.from(text, "latin1")));

  async function question(expression: string, limitMs: number): Promise<unknown> {
    const tag = ++asked;
    hearing.forget();
    // the tag is put together by the board, so that an echo of this line is not taken for its answer
    send(
      `${QUIET_LINE}try{print("<"+"${tag}="+JSON.stringify(${expression})+"=>")}` +
        `catch(e){print("<"+"${tag}!"+e+"=>")}\n`,
    );
    const answer = new RegExp(`<${tag}([=!])(.*?)=>`);
    const [, sign, text = ""] = (await waitFor((heard) => answer.exec(heard), limitMs)) ?? [];
    if (sign === undefined) return NOTHING;
    if (sign === "!") throw new FlashError("refused", `the board refuses: ${text}`);
    return parse(text);
  }

  async function greet(): Promise<void> {
    for (let greeting = 0; greeting < GREETINGS; greeting++) {
      send(CTRL_C);
      if ((await question("1", timing.greetMs)) === 1) return;
    }
    const isLocked = hearing.heard().includes("password>");
    throw new FlashError(
      "noConsole",
      isLocked
        ? "its console asks for a password: this tool has none; erase the board and try again"
        : "no console answers. Hold the button (on a sensor: open the case) while you give it power: its console " +
            "is then open for two minutes. Check cable, port and that the board runs Espruino",
    );
  }

  return {
    greet,
    async ask(expression, tries = TRIES, limitMs = timing.answerMs) {
      for (let left = tries; left > 0; left--) {
        const answer = await question(expression, limitMs);
        if (answer !== NOTHING) return answer;
        send(CTRL_C);
      }
      throw new FlashError("noConsole", "the board has stopped answering. Power it anew and try again");
    },
    async listen(statement, forMs) {
      hearing.forget();
      send(`${QUIET_LINE}${statement}\n`);
      await hearing.pass(forMs);
      return hearing.heard();
    },
    async packet(type, data) {
      const length = type | data.length;
      hearing.forget();
      send(PACKET_START + String.fromCharCode(length >> 8, length & 0xff) + data);
      const reply = await waitFor(
        (heard) => [...heard].find((char) => char === ACK || char === NAK) ?? null,
        timing.answerMs,
      );
      return reply === ACK;
    },
  };
}

const NOTHING = Symbol("no answer");

/** A damaged answer is none: whoever asks again gets another. */
function parse(text: string): unknown {
  try {
    return text === "undefined" ? null : JSON.parse(text);
  } catch {
    return NOTHING; // a byte of it was lost on the line
  }
}

/** What comes over the stream, and waiting for it. */
function hear(stream: ByteStream) {
  let heard = "";
  let ended: string | null = null;
  let look = () => {};
  stream.onData((bytes) => {
    const text = Buffer.from(bytes).toString("latin1").replaceAll(XON, "").replaceAll(XOFF, "");
    heard = (heard + text).slice(-MAX_HEARD);
    look();
  });
  stream.onEnd((reason) => {
    ended ??= reason;
    look();
  });
  const until = (isOver: () => boolean, limitMs: number): Promise<void> =>
    new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        look = () => {};
        resolve();
      };
      const timer = setTimeout(finish, limitMs);
      look = () => {
        if (isOver() || ended !== null) finish();
      };
      look();
    });
  return {
    heard: () => heard,
    forget() {
      heard = "";
    },
    /** Waits at most `limitMs`, or until the stream ends. */
    pass: (limitMs: number) => until(() => false, limitMs),
    /** What `find` found in what was heard; null after `limitMs`. Throws FlashError `unplugged` when the stream has ended. */
    async waitFor<T>(find: (heard: string) => T | null, limitMs: number): Promise<T | null> {
      let found: T | null = null;
      await until(() => {
        found = find(heard);
        return found !== null;
      }, limitMs);
      if (found === null && ended !== null)
        throw new FlashError("unplugged", `the board is gone (${ended}). Plug it in and flash it again`);
      return found;
    },
  };
}
