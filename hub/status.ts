/** The hub's status door: HTTP on a Unix socket in the hub's own folder, mode 0600, so that the file system says who may
 *  look. Serves what the core hands out; it decides nothing. Routes:
 *    GET /status  GET /metrics (Prometheus text)  GET /devices  POST /devices (JSON array)  DELETE /devices/<DevEUI>
 *    POST /devices/<DevEUI>/settings (a wish)  POST /annunciators/silence */
import { chmod, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";

export interface StatusSource {
  /** JSON-shaped; numbers under `counters` become metrics. */
  status(): { readonly counters: Readonly<Record<string, number>> };
  listDevices(): unknown;
  /** All or nothing. Rejects with a message for a person. */
  addDevices(rows: unknown): Promise<unknown>;
  removeDevice(devEui: string): Promise<boolean>;
  /** Rejects with a message for a person. */
  setDevice(devEui: string, wish: unknown): Promise<unknown>;
  /** Stops the local sirens of what goes on now. Returns how many annunciators were told. */
  silence(): number;
}

export interface StatusDoor {
  close(): Promise<void>;
}

const MAX_BODY = 8 * 1024 * 1024;

/** Listens on `socketPath`, replacing what a crashed hub left there. */
export async function startStatusDoor(socketPath: string, source: StatusSource): Promise<StatusDoor> {
  await rm(socketPath, { force: true });
  const server = createServer((req, res) => {
    answer(req, source).then(
      ([status, body]) => send(res, status, body),
      (error: Error) => send(res, 400, { error: error.message }),
    );
  });
  // The socket is made under this mask, so that there is no moment in which another user could connect.
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(socketPath, resolve);
    });
  } finally {
    process.umask(mask);
  }
  await chmod(socketPath, 0o600);
  return {
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(socketPath, { force: true });
    },
  };
}

function send(res: ServerResponse, status: number, body: unknown): void {
  const text = typeof body === "string";
  res.writeHead(status, { "content-type": text ? "text/plain; version=0.0.4" : "application/json" });
  res.end(text ? body : JSON.stringify(body));
}

async function answer(req: IncomingMessage, source: StatusSource): Promise<readonly [number, unknown]> {
  const route = `${req.method} ${req.url}`;
  if (route === "GET /status") return [200, source.status()];
  if (route === "GET /metrics") return [200, await metrics(source.status().counters)];
  if (route === "GET /devices") return [200, source.listDevices()];
  if (route === "POST /devices") return [200, await source.addDevices(JSON.parse(await readBody(req)))];
  if (route === "POST /annunciators/silence") return [200, { silenced: source.silence() }];
  const set = /^POST \/devices\/([0-9a-f]{16})\/settings$/.exec(route);
  if (set?.[1] !== undefined) return [200, await source.setDevice(set[1], JSON.parse(await readBody(req)))];
  const removed = /^DELETE \/devices\/([0-9a-f]{16})$/.exec(route);
  if (removed?.[1] !== undefined) {
    return (await source.removeDevice(removed[1])) ? [200, {}] : [404, { error: `no device ${removed[1]}` }];
  }
  return [404, { error: `no route ${route}` }];
}

async function readBody(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY) throw new Error(`the body is over ${MAX_BODY} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function metrics(counters: Readonly<Record<string, number>>): Promise<string> {
  // 8 MB that a hub spends only where somebody collects metrics
  const { Gauge, Registry } = await import("prom-client");
  const registry = new Registry();
  for (const [name, value] of Object.entries(counters)) {
    const metric = `tugma_hub_${name.replace(/[^a-zA-Z0-9]+/g, "_").toLowerCase()}`;
    new Gauge({ name: metric, help: name, registers: [registry] }).set(value);
  }
  return registry.metrics();
}

/** Asks a running hub. Settles with null when none listens on the socket; rejects with the hub's own words on refusal. */
export async function askHub(
  socketPath: string,
  method: "GET" | "POST" | "DELETE",
  route: string,
  body?: unknown,
): Promise<unknown> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const response = await new Promise<IncomingMessage | null>((resolve, reject) => {
    const req = request({ socketPath, method, path: route, timeout: 30_000 }, resolve);
    req.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ECONNREFUSED") resolve(null);
      else reject(error);
    });
    req.once("timeout", () => req.destroy(new Error(`the hub on ${socketPath} does not answer`)));
    req.end(text);
  });
  if (response === null) return null;
  const answerText = await readBody(response);
  if (response.headers["content-type"]?.startsWith("text/plain")) return answerText;
  const answered: unknown = JSON.parse(answerText);
  if (response.statusCode === 200) return answered;
  const words =
    typeof answered === "object" && answered !== null && "error" in answered ? answered.error : answerText;
  throw new Error(String(words));
}
