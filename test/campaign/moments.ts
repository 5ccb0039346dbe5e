/** Moments on an alarm's way: when the hub is given a frame, and what is between it and the lamp at a time. */
import type { Lamp } from "../../hardware/virtual/board-lamp.ts";
import type { Board } from "../../hardware/virtual/board-types.ts";
import type { Site } from "../../hardware/virtual/site-types.ts";
import { decodePhyPayload } from "../../protocols/lorawan/phy.ts";
import type { Witness } from "./witness.ts";

/** A frame that a gateway has just sent to the hub: a report about a press, or a join-request. */
export interface Pushed {
  readonly atMs: number;
  readonly devEui: string;
  /** Null: a join-request. */
  readonly eventNumber: number | null;
  /** The first about its event. */
  readonly isFirst: boolean;
}

export interface Moments {
  /** Settles with the next such frame to which `wanted` says yes. */
  next(wanted: (pushed: Pushed) => boolean): Promise<Pushed>;
  /** Downlinks that a gateway has taken, and those of them that it has not sent yet. */
  readonly taken: number;
  readonly onTheWay: number;
}

type Frame = Pick<Pushed, "devEui" | "eventNumber">;

/** Watches the gateways. Of a frame that several have heard, the first to pass it on counts. */
export function followMoments(site: Site<Lamp, Board>, witness: Witness): Moments {
  /** By gateway: heard, and not passed on by any. */
  const fetched = new Map<string, { transmission: object; frame: Frame }[]>();
  const passedOn = new WeakSet<object>();
  const known = new Set<string>();
  const waiting = new Set<(pushed: Pushed) => void>();
  let taken = 0;
  let over = 0;
  site.onEvent((told) => {
    if (told.type !== "gateway") return;
    const { gateway, atMs, event } = told;
    if (event.type === "downlink" && event.answer === "queued") taken++;
    else if (event.type === "sent" || event.type === "dropped") over++;
    else if (event.type === "heard") {
      const frame = readFrame(witness, event.transmission.bytes);
      if (frame === null) return;
      fetched.set(gateway, [...(fetched.get(gateway) ?? []), { transmission: event.transmission, frame }]);
    } else if (event.type === "pushed") {
      for (const { transmission, frame } of fetched.get(gateway) ?? []) {
        if (passedOn.has(transmission)) continue;
        passedOn.add(transmission);
        const key = `${frame.devEui}/${frame.eventNumber}`;
        const pushed = { ...frame, atMs, isFirst: !known.has(key) };
        known.add(key);
        for (const tell of waiting) tell(pushed);
      }
      fetched.delete(gateway);
    }
  });
  return {
    get taken() {
      return taken;
    },
    get onTheWay() {
      return taken - over;
    },
    next: (wanted) =>
      new Promise((resolve) => {
        const tell = (pushed: Pushed) => {
          if (!wanted(pushed)) return;
          waiting.delete(tell);
          resolve(pushed);
        };
        waiting.add(tell);
      }),
  };
}

function readFrame(witness: Witness, bytes: Uint8Array): Frame | null {
  const phy = decodePhyPayload(bytes);
  if (phy.mType === "joinRequest") return { devEui: phy.devEui, eventNumber: null };
  const heard = witness.hear(bytes);
  if (heard?.type !== "report" || heard.report.kind !== "panic") return null;
  return { devEui: heard.devEui, eventNumber: heard.report.eventNumber };
}
