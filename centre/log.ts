/** The log as an argument; pino has this shape. One event, one line: fields, then the event's fixed name. Never keys, never
 *  what a person said. */
export interface Log {
  debug(fields: object, event: string): void;
  info(fields: object, event: string): void;
  warn(fields: object, event: string): void;
  error(fields: object, event: string): void;
}

/** For worlds that have their own eyes. */
export const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
