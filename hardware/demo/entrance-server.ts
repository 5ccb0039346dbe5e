/** Serves the entrance page: a drawn button per entrance, pressed with mouse, touch or keyboard, rooms in which a slider
 *  makes a fire, and what the world makes of it as server-sent events. It knows the world by `EntranceSite` only. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import { type Static, Type } from "@sinclair/typebox";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { guardOrigins, loopbackOrigins, refuse } from "../../centre/web/guard.ts";
import { createStreams, type Streams } from "../../centre/web/streams.ts";
import type { Clock, Timer } from "../virtual/clock.ts";
import { type EntranceSite, FIERCEST, type SwitchName } from "./entrance-site.ts";
import { createHands, type Hands } from "./hands.ts";
import { createSiteView } from "./site-view.ts";

export interface EntranceServerOptions {
  /** 0: any free port. */
  readonly port: number;
  /** A loopback address: whoever can open the page can press. */
  readonly host: string;
  readonly site: EntranceSite;
  readonly clock: Clock;
  /** Folder of the built page; default dist/entrance. */
  readonly pages?: string;
}

export interface EntranceServer {
  readonly port: number;
  /** e.g. "http://127.0.0.1:8070" */
  readonly address: string;
  /** Lets go of every button and ends every stream. */
  close(): Promise<void>;
}

const PAGES = fileURLToPath(new URL("../../dist/entrance", import.meta.url));
const BEAT_MS = 2000;

/** Listens, and follows the site until closed. */
export async function startEntranceServer(options: EntranceServerOptions): Promise<EntranceServer> {
  const { site, clock } = options;
  const app = fastify({ bodyLimit: 4 * 1024, forceCloseConnections: true });
  const streams = createStreams();
  const hands = createHands(site);
  const view = createSiteView(site);
  let origins: readonly string[] = [];
  guardOrigins(app, () => origins);
  streamRoute(app, options, streams, hands, view.picture);
  actRoutes(app, site, hands);
  fireRoutes(app, site);
  await pageRoutes(app, options.pages ?? PAGES);
  const unsubscribe = site.subscribe((event) => {
    view.follow(event);
    streams.broadcast([{ event: "world", id: null, data: event }]);
  });
  const beat = everyBeat(clock, () => streams.broadcast([beatEvent(clock)]));
  await app.listen({ host: options.host, port: options.port });
  const bound = app.server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : options.port;
  origins = loopbackOrigins(port);
  return {
    port,
    address: `http://${options.host}:${port}`,
    async close() {
      unsubscribe();
      beat.cancel();
      hands.letGoAll();
      streams.close();
      await app.close();
    },
  };
}

const Id = Type.String({ minLength: 1, maxLength: 64 });
const Press = Type.Object({ entrance: Id, down: Type.Boolean(), client: Id });
const Switch = Type.Object({
  name: Type.String({ pattern: "^(centre|(gateway|mains):.{1,64})$" }),
  on: Type.Boolean(),
});

function actRoutes(app: FastifyInstance, site: EntranceSite, hands: Hands): void {
  app.post<{ Body: Static<typeof Press> }>(
    "/api/press",
    { schema: { body: Press } },
    async (request, reply) => {
      const { entrance, down, client } = request.body;
      if (!site.entrances.some((each) => each.id === entrance)) return refuse(reply, 404, "unknown");
      if (down) hands.press(client, entrance);
      else hands.letGo(client, entrance);
      return { down };
    },
  );
  app.post<{ Body: Static<typeof Switch> }>(
    "/api/switch",
    { schema: { body: Switch } },
    async (request, reply) => {
      const { name, on } = request.body;
      const known = site.switches.find((each) => each.name === name);
      if (!known) return refuse(reply, 404, "unknown");
      await site.setSwitch(known.name satisfies SwitchName, on);
      return { on };
    },
  );
}

const PutOut = Type.Object({ room: Id });
const Burn = Type.Object({
  room: Id,
  kelvinPerMinute: Type.Number({ minimum: 0, maximum: FIERCEST.kelvinPerMinute }),
  smokePerMinute: Type.Number({ minimum: 0, maximum: FIERCEST.smokePerMinute }),
});

function fireRoutes(app: FastifyInstance, site: EntranceSite): void {
  const isKnown = (room: string) => site.rooms.some((each) => each.id === room);
  app.post<{ Body: Static<typeof Burn> }>("/api/fire", { schema: { body: Burn } }, async (request, reply) => {
    const { room, kelvinPerMinute, smokePerMinute } = request.body;
    if (!isKnown(room)) return refuse(reply, 404, "unknown");
    site.burn(room, { kelvinPerMinute, smokePerMinute });
    return { kelvinPerMinute, smokePerMinute };
  });
  app.post<{ Body: Static<typeof PutOut> }>(
    "/api/fire/out",
    { schema: { body: PutOut } },
    async (request, reply) => {
      const { room } = request.body;
      if (!isKnown(room)) return refuse(reply, 404, "unknown");
      site.putOut(room);
      return { room };
    },
  );
}

function streamRoute(
  app: FastifyInstance,
  { clock }: EntranceServerOptions,
  streams: Streams,
  hands: Hands,
  picture: () => object,
): void {
  app.get<{ Querystring: { client?: string } }>("/api/stream", (request, reply) => {
    const first = [{ event: "site", id: null, data: picture() }, beatEvent(clock)];
    // a page that goes away mid-press must not leave the button stuck
    const onClose = () => hands.letGoOf(request.query.client ?? "");
    if (!streams.open(reply.raw, first, onClose)) return refuse(reply, 503, "streams");
    reply.hijack();
  });
}

async function pageRoutes(app: FastifyInstance, pages: string): Promise<void> {
  if (!existsSync(join(pages, "index.html"))) {
    const missing = `The entrance page is not built: ${pages} has no index.html. Run "npm run build".`;
    app.get("/", async (_request, reply) => reply.code(503).type("text/plain").send(missing));
    return;
  }
  await app.register(fastifyStatic, {
    root: join(pages, "assets"),
    prefix: "/assets/",
    index: false,
    maxAge: "365d",
    immutable: true,
  });
  const file = (name: string) => (_request: FastifyRequest, reply: FastifyReply) =>
    reply.header("cache-control", "no-cache").sendFile(name, pages, { cacheControl: false });
  app.get("/", file("index.html"));
  app.get("/button.svg", file("button.svg"));
}

function beatEvent(clock: Clock) {
  return { event: "beat", id: null, data: { atMs: clock.wallMs() } };
}

function everyBeat(clock: Clock, run: () => void): Timer {
  let timer = clock.setTimer(again, BEAT_MS);
  function again(): void {
    run();
    timer = clock.setTimer(again, BEAT_MS);
  }
  return { cancel: () => timer.cancel() };
}
