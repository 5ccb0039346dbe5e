/** The running centre's control socket: a Unix socket in its folder, mode 0600, that speaks HTTP with JSON. It is also the lock
 *  that keeps a second centre off the same folder. */
import { once } from "node:events";
import { chmodSync, existsSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import path from "node:path";

/** Unix sockets have short names (sockaddr_un). */
const MAX_SOCKET_PATH = 107;

export type ControlCalls = Readonly<
  Record<string, (args: Readonly<Record<string, string>>) => Promise<unknown>>
>;

export interface Control {
  close(): Promise<void>;
}

/** A running centre answered with an error. */
export class ControlError extends Error {
  override readonly name = "ControlError";
}

function socketPath(dir: string): string {
  const file = path.resolve(dir, "control.sock");
  if (Buffer.byteLength(file) > MAX_SOCKET_PATH) {
    throw new Error(
      `${file}: longer than ${MAX_SOCKET_PATH} bytes, which a Unix socket cannot have. Choose a shorter folder.`,
    );
  }
  return file;
}

/** Throws when another centre runs on this folder. */
export async function openControl(
  dir: string,
  calls: ControlCalls,
  onError: (error: Error) => void,
): Promise<Control> {
  const file = socketPath(dir);
  if (existsSync(file)) {
    if ((await callControl(dir, "ping", {})) !== undefined)
      throw new ControlError(`${dir}: a centre runs here already. Stop it first.`);
    rmSync(file);
  }
  const server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? "/", "http://control");
    const call = Object.hasOwn(calls, url.pathname.slice(1)) ? calls[url.pathname.slice(1)] : undefined;
    const answer =
      call === undefined
        ? Promise.reject(new Error("no such call"))
        : call(Object.fromEntries(url.searchParams));
    answer.then(
      (value) => response.end(JSON.stringify({ value: value ?? null })),
      (error: Error) => {
        onError(error);
        response.end(JSON.stringify({ error: error.message }));
      },
    );
  });
  server.listen(file);
  await once(server, "listening");
  chmodSync(file, 0o600);
  return {
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Asks the centre that runs on this folder; undefined when none does. Throws a ControlError with its reason. */
export function callControl(
  dir: string,
  name: string,
  args: Readonly<Record<string, string>>,
): Promise<unknown> {
  const query = new URLSearchParams(args).toString();
  return new Promise((resolve, reject) => {
    const asked = request(
      { socketPath: socketPath(dir), path: `/${name}?${query}`, timeout: 10_000, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const { value, error } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as {
            value?: unknown;
            error?: string;
          };
          if (error === undefined) resolve(value);
          else reject(new ControlError(error));
        });
      },
    );
    asked.on("timeout", () => asked.destroy(new Error("the centre does not answer")));
    asked.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ECONNREFUSED") resolve(undefined);
      else reject(error);
    });
    asked.end();
  });
}
