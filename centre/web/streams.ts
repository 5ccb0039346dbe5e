/** Open server-sent-event streams (HTML Standard 9.2): one per console tab, resumed by Last-Event-ID. */
import type { ServerResponse } from "node:http";
import { SECURITY_HEADERS } from "./guard.ts";

export interface SentEvent {
  readonly event: string;
  readonly id: string | null;
  readonly data: unknown;
}

export interface Streams {
  readonly count: number;
  /** Takes the response over. False: too many streams are open and nothing was written. `onClose` runs once. */
  open(response: ServerResponse, first: readonly SentEvent[], onClose?: () => void): boolean;
  broadcast(events: readonly SentEvent[]): void;
  close(): void;
}

const MAX_STREAMS = 64;
/** A page that reads nothing while this many bytes wait is cut off; it comes back and resumes. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024;

export function createStreams(): Streams {
  const open = new Set<ServerResponse>();
  return {
    get count() {
      return open.size;
    },
    open(response, first, onClose) {
      if (open.size >= MAX_STREAMS) return false;
      response.writeHead(200, {
        ...SECURITY_HEADERS,
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        // nginx holds a stream back otherwise
        "x-accel-buffering": "no",
      });
      response.write(`retry: 1000\n\n${first.map(eventText).join("")}`);
      open.add(response);
      response.on("close", () => {
        open.delete(response);
        onClose?.();
      });
      return true;
    },
    broadcast(events) {
      const text = events.map(eventText).join("");
      for (const response of text ? open : []) {
        if (response.writableLength > MAX_BACKLOG_BYTES) response.destroy();
        else response.write(text);
      }
    },
    close() {
      for (const response of open) response.end();
    },
  };
}

function eventText({ event, id, data }: SentEvent): string {
  // JSON has no raw line breaks, so one data line is enough
  return `event: ${event}\n${id === null ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}
