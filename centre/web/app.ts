/** The console's web server: built pages, sign-in, the live stream, acts and evidence. It holds no key and no ledger:
 *  it shows what the core says and hands on what an operator does. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import { type Static, Type } from "@sinclair/typebox";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { ToWeb } from "../web-link.ts";
import type { CoreTalk } from "./core-talk.ts";
import { createFeed, type Feed } from "./feed.ts";
import { guardOrigins, refuse } from "./guard.ts";
import { loginRoutes, operatorOf } from "./login.ts";
import { createStreams, type Streams } from "./streams.ts";
import type { Operator, Users } from "./users.ts";

export interface WebAppOptions {
  readonly users: Users;
  readonly talk: CoreTalk;
  /** Folder of the built console. */
  readonly pages: string;
  /** The origins this page may be opened under, e.g. "https://ptm.example"; asked at each request. */
  readonly origins: () => readonly string[];
  readonly tls: { readonly key: string; readonly cert: string } | null;
  /** Tells this process's stream positions from those of an earlier one. */
  readonly epoch: string;
  /** Unix ms. */
  readonly now: () => number;
}

export interface WebApp {
  readonly fastify: FastifyInstance;
  /** Hands in a message of the core. */
  hear(message: ToWeb): void;
  close(): Promise<void>;
}

const Text = (max: number) => Type.Optional(Type.String({ maxLength: max }));
const ActBody = Type.Object(
  {
    type: Type.Union([
      Type.Literal("take"),
      Type.Literal("dispatch"),
      Type.Literal("close"),
      Type.Literal("note"),
    ]),
    incident: Type.String({ minLength: 1, maxLength: 64 }),
    key: Type.String({ minLength: 16, maxLength: 128 }),
    cause: Text(200),
    text: Text(2000),
  },
  { additionalProperties: false },
);

/** Builds the server; it listens when `fastify.listen` is called. Close it to end every stream. */
export async function createWebApp(options: WebAppOptions): Promise<WebApp> {
  const app = fastify({
    https: options.tls,
    bodyLimit: 16 * 1024,
    trustProxy: false,
    forceCloseConnections: true,
  });
  const feed = createFeed(options.epoch);
  const streams = createStreams();
  const login = { users: options.users, secure: options.tls !== null, now: () => performance.now() };
  const signedIn = (request: FastifyRequest) => operatorOf(request, login);

  guardOrigins(app, options.origins);
  loginRoutes(app, login);
  feedRoutes(app, options, feed, streams, signedIn);
  actRoute(app, options, signedIn);
  evidenceRoute(app, options, signedIn);
  await pageRoutes(app, options.pages);

  return {
    fastify: app,
    hear(message) {
      options.talk.hear(message);
      // the beat is the core's own: it says its status every 2 s, and a page behind a core that stands still
      // must cover itself however well this process runs
      streams.broadcast([...feed.apply(message), beatEvent(options.now())]);
    },
    async close() {
      streams.close();
      await app.close();
    },
  };
}

type SignedIn = (request: FastifyRequest) => Operator | null;

function feedRoutes(
  app: FastifyInstance,
  options: WebAppOptions,
  feed: Feed,
  streams: Streams,
  signedIn: SignedIn,
): void {
  app.get("/api/incidents", async (request, reply) => {
    if (!signedIn(request)) return refuse(reply, 401, "signedOut");
    const picture = feed.picture();
    return picture ? reply.header("cache-control", "no-store").send(picture) : refuse(reply, 503, "starting");
  });
  app.get<{ Querystring: { after?: string } }>("/api/stream", (request, reply) => {
    if (!signedIn(request)) return refuse(reply, 401, "signedOut");
    const seen = request.headers["last-event-id"] ?? request.query.after ?? null;
    const first = [...feed.since(typeof seen === "string" ? seen : null), beatEvent(options.now())];
    // an open console keeps its session alive, and learns when it ended: by its age, or signed out in another tab
    const check = setInterval(() => {
      if (signedIn(request)) return;
      reply.raw.end("event: signedOut\ndata: null\n\n");
    }, 15_000);
    if (!streams.open(reply.raw, first, () => clearInterval(check))) {
      clearInterval(check);
      return refuse(reply, 503, "streams");
    }
    reply.hijack();
  });
}

function actRoute(app: FastifyInstance, options: WebAppOptions, signedIn: SignedIn): void {
  app.post<{ Body: Static<typeof ActBody> }>(
    "/api/acts",
    { schema: { body: ActBody } },
    async (request, reply) => {
      const operator = signedIn(request);
      if (!operator) return refuse(reply, 401, "signedOut");
      // the operator and the time are ours to say, whatever the page sends; keys of two operators never meet
      const { key, ...body } = request.body;
      const act = { ...body, operator: operator.name, atMs: options.now(), key: `${operator.id}-${key}` };
      const result = await options.talk.act(act);
      if (result === "noAnswer") return refuse(reply, 504, "noAnswer");
      if (!result.ok) return refuse(reply, 409, result.reason ?? "refused");
      return { incident: result.incident ?? null };
    },
  );
}

function evidenceRoute(app: FastifyInstance, options: WebAppOptions, signedIn: SignedIn): void {
  app.get<{ Params: { id: string } }>("/api/evidence/:id", async (request, reply) => {
    if (!signedIn(request)) return refuse(reply, 401, "signedOut");
    const { id } = request.params;
    if (!/^[\w-]{1,64}$/.test(id)) return refuse(reply, 404, "unknown");
    const result = await options.talk.evidence(id);
    if (result === "noAnswer") return refuse(reply, 504, "noAnswer");
    if (result.file === undefined) return refuse(reply, 404, result.reason ?? "unknown");
    return reply
      .header("content-type", "application/cbor")
      .header("cache-control", "no-store")
      .header("content-disposition", `attachment; filename="tugma-${id}.cbor"`)
      .send(Buffer.from(result.file, "base64"));
  });
}

/** The built page under `/` and behind both kinds of one-time link; its assets carry their hash in the name. */
async function pageRoutes(app: FastifyInstance, pages: string): Promise<void> {
  if (!existsSync(join(pages, "index.html"))) {
    const missing = `The console is not built: ${pages} has no index.html. Run "npm run build".`;
    app.get("/", async (_request, reply) => reply.code(503).type("text/plain").send(missing));
    return;
  }
  const assets = {
    root: join(pages, "assets"),
    prefix: "/assets/",
    index: false,
    maxAge: "365d",
    immutable: true,
  } as const;
  await app.register(fastifyStatic, assets);
  const file = (name: string) => (_request: FastifyRequest, reply: FastifyReply) =>
    reply.header("cache-control", "no-cache").sendFile(name, pages, { cacheControl: false });
  for (const path of ["/", "/first", "/once"]) app.get(path, file("index.html"));
  app.get("/tugma.svg", file("tugma.svg"));
}

function beatEvent(nowMs: number) {
  return { event: "beat", id: null, data: { nowMs } };
}
