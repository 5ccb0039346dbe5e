/** The enrolment's HTTPS port: POST /enrol, nothing else. Open to whoever has a code, so every bound is small. */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { EnrolRefusal } from "./enrolment.ts";

export const ENROL_LIMITS = {
  bodyBytes: 8_192,
  requestMs: 10_000,
  connections: 64,
} as const;

export interface EnrolDoorOptions {
  readonly host: string;
  readonly port: number;
  /** `cert` carries the CA's certificate behind the server's own, so that a hub can compare it with its code's pin. */
  readonly tls: { readonly key: string; readonly cert: string };
  /** Whether this address may try now. */
  admit(source: string): boolean;
  grant(body: unknown): Promise<object>;
  onError(error: Error): void;
}

export interface EnrolDoor {
  readonly port: number;
  close(): Promise<void>;
}

/** Settles when it listens. */
export async function openEnrolDoor(options: EnrolDoorOptions): Promise<EnrolDoor> {
  const { requestMs } = ENROL_LIMITS;
  const server = createServer({
    ...options.tls,
    minVersion: "TLSv1.3",
    requestTimeout: requestMs,
    headersTimeout: requestMs,
    handshakeTimeout: requestMs,
    maxHeaderSize: 4_096,
  });
  server.maxConnections = ENROL_LIMITS.connections;
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    answer(request, options).then(
      ({ status, body }) => reply(response, status, body),
      (error: Error) => {
        options.onError(error);
        reply(response, 500, { error: "The centre cannot enrol now; its log says why. Try again later." });
      },
    );
  });
  server.listen(options.port, options.host);
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => closeServer(server) };
}

async function answer(
  request: IncomingMessage,
  options: EnrolDoorOptions,
): Promise<{ status: number; body: object }> {
  if (request.url !== "/enrol") return { status: 404, body: { error: "Only /enrol is here." } };
  if (request.method !== "POST") return { status: 405, body: { error: "Only POST is taken here." } };
  if (!options.admit(request.socket.remoteAddress ?? "")) {
    return { status: 429, body: { error: "Too many attempts. Wait a minute and try again." } };
  }
  try {
    const body: unknown = JSON.parse(await readBody(request));
    return { status: 200, body: await options.grant(body) };
  } catch (error) {
    if (error instanceof EnrolRefusal) return { status: error.status, body: { error: error.message } };
    if (error instanceof SyntaxError) return { status: 400, body: { error: "The body is not JSON." } };
    throw error;
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > ENROL_LIMITS.bodyBytes)
      throw new EnrolRefusal(400, `The body has more than ${ENROL_LIMITS.bodyBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "cache-control": "no-store",
    connection: "close",
  });
  response.end(JSON.stringify(body));
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

/** In all sources together, as a multiple of what one may. */
const SOURCES_AT_ONCE = 12;

/** Attempts by source and in all, refilled each minute: 128-bit secrets need no more, but logs and signatures cost time. */
export function createAdmission(nowMs: () => number, perSource: number): (source: string) => boolean {
  let minute = Math.floor(nowMs() / 60_000);
  let all = 0;
  const bySource = new Map<string, number>();
  return (source) => {
    const now = Math.floor(nowMs() / 60_000);
    if (now !== minute) {
      minute = now;
      all = 0;
      bySource.clear();
    }
    const own = (bySource.get(source) ?? 0) + 1;
    if (own > perSource || all >= perSource * SOURCES_AT_ONCE) return false;
    bySource.set(source, own);
    all += 1;
    return true;
  };
}
