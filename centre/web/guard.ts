/** What every answer carries and what every request must show, for pages served on a machine's own port.
 *  A browser sends SameSite=Strict cookies to every port of the same host, so another page on this machine would pass
 *  as "same site": a changing request must also name this very origin and carry a header no HTML form can send. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** The header of every POST, with any value: a cross-origin page can set it only after a preflight we never answer. */
export const INTENT_HEADER = "x-tugma";

export const SECURITY_HEADERS = {
  "content-security-policy": [
    "default-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "object-src 'none'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
} as const;

/** Refuses requests to another host name (DNS rebinding) and changing requests that do not come from our own page.
 *  `origins` is asked at each request, because a free port is known only after listening; e.g. "https://ptm.example". */
export function guardOrigins(app: FastifyInstance, origins: () => readonly string[]): void {
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    const flaw = requestFlaw(request, origins());
    if (flaw) return refuse(reply, flaw.status, flaw.error);
  });
}

/** The loopback names a browser on this machine may use for `port`. */
export function loopbackOrigins(port: number, secure = false): readonly string[] {
  const scheme = secure ? "https" : "http";
  return ["127.0.0.1", "localhost", "[::1]"].map((host) => `${scheme}://${host}:${port}`);
}

/** One shape for every refusal: a word for the page to translate. */
export function refuse(reply: FastifyReply, status: number, error: string, more: object = {}): FastifyReply {
  return reply.code(status).send({ error, ...more });
}

function requestFlaw(
  request: FastifyRequest,
  origins: readonly string[],
): { status: number; error: string } | null {
  const host = request.headers.host;
  if (!origins.some((origin) => new URL(origin).host === host)) return { status: 421, error: "host" };
  if (request.method === "GET" || request.method === "HEAD") return null;
  if (!origins.includes(request.headers.origin ?? "")) return { status: 403, error: "origin" };
  return request.headers[INTENT_HEADER] === undefined ? { status: 403, error: "origin" } : null;
}
