/** Copies of a frame that other gateways, or the device itself, deliver after its first. They never delay the event; they
 *  are gathered for a moment and become one record that adds to it. */
import type { EventReception } from "../protocols/event.ts";
import { EVENT_LIMITS } from "../protocols/event.ts";
import type { Reception } from "./carriers/carrier.ts";
import type { Clock, Timer } from "./clock.ts";
import type { KnownEvent } from "./device-events.ts";
import { eventReception, moreReceptions } from "./drafts.ts";
import type { Journal } from "./journal/journal.ts";

export interface LateReceptionsOptions {
  readonly journal: Pick<Journal, "append">;
  readonly clock: Clock;
  onTrouble(error: unknown): void;
}

export interface LateReceptions {
  /** The first copy of an event's frame has been taken; later ones of this hash are its evidence. */
  expect(frameHash: string, event: KnownEvent): void;
  /** False for a frame that is no event's, or long past, or has records enough. */
  add(frameHash: string, reception: Reception): boolean;
}

/** Copies come within the air time of the repetitions and the way of the slowest backhaul. */
const GATHER_MS = 500;
/** Frames remembered; more alarms than this between two copies of one are not expected. */
const MAX_FRAMES = 512;
const MAX_RECORDS_PER_FRAME = 3;

interface Frame {
  readonly event: KnownEvent;
  gathered: EventReception[];
  records: number;
  timer: Timer | null;
}

export function createLateReceptions({ journal, clock, onTrouble }: LateReceptionsOptions): LateReceptions {
  const frames = new Map<string, Frame>();

  async function write(frameHash: string, frame: Frame): Promise<void> {
    frame.timer = null;
    const receptions = frame.gathered;
    frame.gathered = [];
    if (!(await frame.event.stored)) return;
    await journal.append(moreReceptions(frame.event, frameHash, receptions, null));
  }

  return {
    expect(frameHash, event) {
      frames.set(frameHash, { event, gathered: [], records: 0, timer: null });
      const [oldest] = frames.keys();
      if (frames.size > MAX_FRAMES && oldest !== undefined) frames.delete(oldest);
    },
    add(frameHash, reception) {
      const frame = frames.get(frameHash);
      if (frame === undefined || frame.gathered.length >= EVENT_LIMITS.receptions) return false;
      if (frame.timer === null) {
        if (frame.records >= MAX_RECORDS_PER_FRAME) return false;
        frame.records++;
        frame.timer = clock.setTimer(() => void write(frameHash, frame).catch(onTrouble), GATHER_MS);
      }
      frame.gathered.push(eventReception(reception));
      return true;
    },
  };
}
