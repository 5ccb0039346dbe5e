/** Signing in and out: `/api/session`, `/api/login`, `/api/invitation`, `/api/once`. Tokens come in a POST body: the
 *  links carry them behind `#`, so that no proxy log, history server or link preview ever sees or uses one. */
import { type Static, Type } from "@sinclair/typebox";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { createAttempts } from "./attempts.ts";
import { refuse } from "./guard.ts";
import { MAX_PASSWORD, passwordFlaw } from "./password.ts";
import type { Operator, Users } from "./users.ts";

export interface LoginOptions {
  readonly users: Users;
  /** True when the page is served over https: the cookie is then bound to it. */
  readonly secure: boolean;
  /** Monotonic ms. */
  now(): number;
}

const Name = Type.String({ minLength: 1, maxLength: 80, pattern: "\\S" });
const Password = Type.String({ minLength: 1, maxLength: MAX_PASSWORD });
const Token = Type.String({ minLength: 20, maxLength: 100 });
const Login = Type.Object({ name: Name, password: Password });
const Invitation = Type.Object({ token: Token, name: Name, password: Password });
const Once = Type.Object({ token: Token });

/** Passwords being checked at one time, over everybody: each costs 32 MiB. */
const MAX_HASHING = 4;

/** Adds the routes. The session's operator is found by `operatorOf` in every other route. */
export function loginRoutes(app: FastifyInstance, options: LoginOptions): void {
  const { users } = options;
  sessionRoutes(app, options);
  passwordRoute(app, options);
  app.post<{ Body: Static<typeof Invitation> }>(
    "/api/invitation",
    { schema: { body: Invitation } },
    async (request, reply) => {
      const flaw = passwordFlaw(request.body.password);
      if (flaw) return refuse(reply, 422, flaw);
      const made = await users.accept(request.body.token, request.body.name, request.body.password);
      return typeof made === "string"
        ? refuse(reply, made === "name" ? 409 : 410, made)
        : welcome(reply, options, made);
    },
  );
  app.post<{ Body: Static<typeof Once> }>("/api/once", { schema: { body: Once } }, async (request, reply) => {
    const operator = users.redeem(request.body.token);
    return operator ? welcome(reply, options, operator) : refuse(reply, 410, "link");
  });
}

/** The operator of this request's cookie, and the session lives on; null when there is none. */
export function operatorOf(request: FastifyRequest, options: LoginOptions): Operator | null {
  const id = sessionIdOf(request, options.secure);
  return id === null ? null : options.users.touchSession(id);
}

function sessionRoutes(app: FastifyInstance, options: LoginOptions): void {
  app.get("/api/session", async (request) => {
    const operator = operatorOf(request, options);
    // 200 either way: "nobody yet" is an answer, and a browser would log a 401 as an error on every first visit
    return { operator: operator?.name ?? null, first: options.users.isEmpty() };
  });
  app.post("/api/logout", async (request, reply) => {
    const id = sessionIdOf(request, options.secure);
    if (id !== null) options.users.closeSession(id);
    return reply.header("set-cookie", cookie("", options.secure, 0)).send({ operator: null });
  });
}

function passwordRoute(app: FastifyInstance, options: LoginOptions): void {
  const attempts = createAttempts(options.now);
  let hashing = 0;
  app.post<{ Body: Static<typeof Login> }>(
    "/api/login",
    { schema: { body: Login } },
    async (request, reply) => {
      const { name, password } = request.body;
      const account = name.normalize("NFKC").trim().toLowerCase();
      const wait = attempts.waitMs(account, request.ip);
      if (wait > 0)
        return refuse(reply.header("retry-after", Math.ceil(wait / 1000)), 429, "wait", { waitMs: wait });
      if (hashing >= MAX_HASHING)
        return refuse(reply.header("retry-after", 1), 429, "wait", { waitMs: 1000 });
      hashing++;
      // counted before the answer is known: parallel guesses must not all be the first
      attempts.failed(account, request.ip);
      try {
        const operator = await options.users.login(name, password);
        if (!operator) return refuse(reply, 401, "password");
        attempts.succeeded(account, request.ip);
        return welcome(reply, options, operator);
      } finally {
        hashing--;
      }
    },
  );
}

function welcome(reply: FastifyReply, options: LoginOptions, operator: Operator): FastifyReply {
  const id = options.users.openSession(operator);
  return reply.header("set-cookie", cookie(id, options.secure, null)).send({ operator: operator.name });
}

/** `__Host-` makes browsers refuse the cookie from any other host, path or scheme; it needs https. */
function cookieName(secure: boolean): string {
  return secure ? "__Host-tugma" : "tugma";
}

function cookie(value: string, secure: boolean, maxAgeS: number | null): string {
  const age = maxAgeS === null ? "" : `; Max-Age=${maxAgeS}`;
  return `${cookieName(secure)}=${value}; Path=/; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}${age}`;
}

function sessionIdOf(request: FastifyRequest, secure: boolean): string | null {
  const wanted = `${cookieName(secure)}=`;
  const found = (request.headers.cookie ?? "").split(/; */).find((part) => part.startsWith(wanted));
  return found && found.length > wanted.length ? found.slice(wanted.length) : null;
}
