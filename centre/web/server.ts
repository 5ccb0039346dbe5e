/** The web server's process: a child of the centre's core, which talks to it over IPC (see ../web-link.ts) and does not
 *  notice when it dies. It ends with the core: a page without a core would show old alarms as if they were all. */
import { randomBytes, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { FromWeb, ToWeb, WebStart } from "../web-link.ts";
import { createWebApp, type WebApp } from "./app.ts";
import { createCoreTalk } from "./core-talk.ts";
import { loopbackOrigins } from "./guard.ts";
import { linkAddress } from "./links.ts";
import { openUsers } from "./users.ts";

const PAGES = fileURLToPath(new URL("../../dist/console", import.meta.url));
const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);

interface Running {
  readonly app: WebApp;
  readonly port: number;
  /** One-time link for the first operator's account; null when there is an operator. */
  readonly loginLink: string | null;
}

/** Starts the server described by `start`; `send` hands its messages to the core. */
export async function startWeb(start: WebStart, send: (message: FromWeb) => void): Promise<Running> {
  const tls = readTls(start.dir);
  if (tls === null && !LOOPBACK.has(start.host)) {
    throw new Error(
      `The console would be open to the network at ${start.host} without encryption. ` +
        `Put a certificate at ${join(start.dir, "keys/web-cert.pem")} and its key at keys/web.pem, or listen on 127.0.0.1.`,
    );
  }
  const users = openUsers(join(start.dir, "users.sqlite"), { now: Date.now, random: randomBytes });
  let origins: readonly string[] = [];
  const app = await createWebApp({
    users,
    talk: createCoreTalk(send),
    pages: PAGES,
    origins: () => origins,
    tls,
    epoch: randomBytes(6).toString("hex"),
    now: Date.now,
  });
  await app.fastify.listen({ host: start.host, port: start.port });
  const address = app.fastify.server.address();
  const port = typeof address === "object" && address !== null ? address.port : start.port;
  origins = originsOf(port, tls);
  const base = origins[0] ?? "";
  const loginLink = users.isEmpty() ? linkAddress(base, "first", users.issueInvitation()) : null;
  return { app, port, loginLink };
}

/** An operator's own certificate, if there is one: then the console speaks https only. */
function readTls(dir: string): { key: string; cert: string } | null {
  const [key, cert] = [join(dir, "keys/web.pem"), join(dir, "keys/web-cert.pem")];
  if (!existsSync(key) || !existsSync(cert)) return null;
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}

/** The certificate's names come first: they are what a browser elsewhere opens. */
function originsOf(port: number, tls: { cert: string } | null): readonly string[] {
  if (tls === null) return loopbackOrigins(port);
  const names = new X509Certificate(tls.cert).subjectAltName ?? "";
  const hosts = [...names.matchAll(/(?:DNS|IP Address):([^,\s]+)/g)].map(([, name = ""]) => name);
  const suffix = port === 443 ? "" : `:${port}`;
  return [...hosts.map((host) => `https://${host}${suffix}`), ...loopbackOrigins(port, true)];
}

/** Joins the IPC channel of the parent process. Messages that come before the server listens are kept in order. */
function joinCore(): void {
  const send = (message: FromWeb) => {
    if (process.connected) process.send?.(message);
  };
  const early: ToWeb[] = [];
  let running: Running | null = null;
  process.on("message", (message: ToWeb) => {
    if (message.type === "start") void begin(message);
    else if (running) running.app.hear(message);
    else early.push(message);
  });
  process.on("disconnect", () => process.exit(0));

  async function begin(start: WebStart): Promise<void> {
    const started = await startWeb(start, send);
    for (const message of early) started.app.hear(message);
    running = started;
    send({
      type: "ready",
      port: started.port,
      ...(started.loginLink === null ? {} : { loginLink: started.loginLink }),
    });
  }
}

if (process.send) joinCore();
