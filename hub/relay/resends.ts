/** Ranges of records that a centre has asked for again. Paced by the broker's acknowledgements, bounded in number. */
import type { ResendCommand } from "../../protocols/command.ts";
import { joinSequence } from "../../protocols/mqtt-topics.ts";
import type { Journal } from "../journal/journal.ts";
import type { Link } from "./link.ts";

export interface ResendsOptions {
  readonly journal: Pick<Journal, "readRows">;
  readonly link: Pick<Link, "isUp" | "publish">;
  /** On its way already, or about to be sent in order. */
  isPending(sequence: number): boolean;
}

export interface Resends {
  /** Takes a verified command; one that was heard before is passed over. */
  ask(command: ResendCommand, head: number): void;
  /** Begins to send what was asked for, beside the path's own sending, until it is sent or the link is down. */
  run(): void;
}

const PAGE = 64;
const MAX_RANGES = 64;
const MAX_NONCES = 256;

export function createResends({ journal, link, isPending }: ResendsOptions): Resends {
  let ranges: { from: number; to: number }[] = [];
  let running = false;
  const nonces = new Set<string>();

  /** Settles with the last sequence of the page, or null when there is none. */
  async function sendPage(from: number, to: number): Promise<number | null> {
    const rows = await journal.readRows(from - 1, Math.min(PAGE, to - from + 1));
    const last = rows.at(-1);
    if (last === undefined) return null;
    const due = rows.filter((row) => row.sequence <= to && !isPending(row.sequence));
    if (due.length > 0) await link.publish("record", joinSequence(due.map((row) => row.bytes)));
    return last.sequence;
  }

  async function work(): Promise<void> {
    for (let range = ranges[0]; range !== undefined && link.isUp; range = ranges[0]) {
      try {
        const last = await sendPage(range.from, range.to);
        if (last === null || last >= range.to) ranges.shift();
        else range.from = last + 1;
      } catch {
        // The connection or the disk failed: a centre that still has its gap asks anew.
        ranges = [];
      }
    }
  }

  return {
    ask({ from, to, nonce }, head) {
      if (nonces.has(nonce) || from > head || ranges.length >= MAX_RANGES) return;
      nonces.add(nonce);
      const [oldest] = nonces;
      if (nonces.size > MAX_NONCES && oldest !== undefined) nonces.delete(oldest);
      ranges.push({ from, to: Math.min(to, head) });
    },
    run() {
      if (running) return;
      running = true;
      work().finally(() => {
        running = false;
      });
    },
  };
}
