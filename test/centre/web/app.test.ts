import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { createWebApp, type WebApp } from "../../../centre/web/app.ts";
import { createCoreTalk } from "../../../centre/web/core-talk.ts";
import { openUsers, type Users } from "../../../centre/web/users.ts";
import type { FromWeb } from "../../../centre/web-link.ts";

const ORIGIN = "http://127.0.0.1:8080";
const HEADERS = { host: "127.0.0.1:8080", origin: ORIGIN, "x-tugma": "test" };
const KEY = "0123456789abcdef";

let open: WebApp | null = null;
afterEach(() => open?.close());

async function start(answer: (message: FromWeb, app: WebApp) => void = () => {}) {
  const sent: FromWeb[] = [];
  const users: Users = openUsers(":memory:", { now: Date.now, random: randomBytes });
  const app: WebApp = await createWebApp({
    users,
    talk: createCoreTalk((message) => {
      sent.push(message);
      answer(message, app);
    }),
    pages: "/nowhere",
    origins: () => [ORIGIN],
    tls: null,
    epoch: "e1",
    now: Date.now,
  });
  open = app;
  const post = (url: string, body: object, headers: object = {}) =>
    app.fastify.inject({ method: "POST", url, headers: { ...HEADERS, ...headers }, payload: body });
  const get = (url: string, headers: object = {}) =>
    app.fastify.inject({ url, headers: { ...HEADERS, ...headers } });
  const signIn = async (name = "Dilnoza") => {
    const answer = await post("/api/once", { token: users.issueLoginLink(name) });
    return { cookie: String(answer.headers["set-cookie"]).split(";")[0] ?? "" };
  };
  return { app, users, sent, post, get, signIn };
}

const takes = (message: FromWeb, app: WebApp) => {
  if (message.type === "act") app.hear({ type: "actResult", key: message.act.key, ok: true });
};

describe("doors", () => {
  test("every answer forbids foreign code, frames and guessing of types", async () => {
    const { headers } = await (await start()).get("/api/session");
    expect(headers["content-security-policy"]).toContain("default-src 'self'");
    expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(headers["content-security-policy"]).not.toContain("unsafe");
    expect(headers["x-content-type-options"]).toBe("nosniff");
  });

  test("another host name is refused: a rebound DNS name is no origin of ours", async () => {
    expect((await (await start()).get("/api/session", { host: "evil.example:8080" })).statusCode).toBe(421);
  });

  test.each([
    ["from another port of this machine", { origin: "http://127.0.0.1:9090" }],
    ["without an origin", { origin: "" }],
    ["from a page without origin", { origin: "null" }],
  ])("a changing request %s is refused", async (_name, headers) => {
    const { post, signIn, sent } = await start(takes);
    const session = await signIn();
    const body = { type: "take", incident: "1", key: KEY };
    expect((await post("/api/acts", body, { ...session, ...headers })).statusCode).toBe(403);
    expect(sent).toEqual([]);
  });

  test("a form of our own origin, which cannot set the header, is refused too", async () => {
    const { app } = await start();
    const { "x-tugma": _left, ...headers } = HEADERS;
    const answer = await app.fastify.inject({ method: "POST", url: "/api/logout", headers, payload: {} });
    expect(answer.statusCode).toBe(403);
  });

  test("without a session there are no alarms, no stream, no evidence and no acts", async () => {
    const { get, post } = await start();
    for (const url of ["/api/incidents", "/api/stream", "/api/evidence/1"])
      expect((await get(url)).statusCode).toBe(401);
    expect((await post("/api/acts", { type: "take", incident: "1", key: KEY })).statusCode).toBe(401);
    expect((await get("/api/incidents", { cookie: "tugma=made-up" })).statusCode).toBe(401);
  });
});

describe("signing in", () => {
  test("the session's cookie is out of reach of scripts and of other sites", async () => {
    const { post, users } = await start();
    const answer = await post("/api/once", { token: users.issueLoginLink("Demo") });
    expect(answer.headers["set-cookie"]).toMatch(/^tugma=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  });

  test("an invitation becomes an account; a short password does not use it up", async () => {
    const { post, users, get } = await start();
    const body = { token: users.issueInvitation(), name: "Dilnoza", password: "too short" };
    expect((await get("/api/session")).json()).toEqual({ operator: null, first: true });
    expect((await post("/api/invitation", body)).json()).toEqual({ error: "short" });
    const made = await post("/api/invitation", { ...body, password: "long enough now" });
    expect(made.json()).toEqual({ operator: "Dilnoza" });
    const login = await post("/api/login", { name: "Dilnoza", password: "long enough now" });
    expect(login.statusCode).toBe(200);
    expect((await get("/api/session")).json()).toEqual({ operator: null, first: false });
  });

  test("guessing is slowed down, and the answer says for how long", async () => {
    const { post } = await start();
    const guess = () => post("/api/login", { name: "Dilnoza", password: "a wrong password" });
    for (let i = 0; i < 5; i++) expect((await guess()).statusCode).toBe(401);
    const refused = await guess();
    expect(refused.statusCode).toBe(429);
    expect(refused.json().waitMs).toBeGreaterThan(0);
  });

  test("signing out ends the session for good", async () => {
    const { post, get, signIn } = await start();
    const session = await signIn();
    await post("/api/logout", {}, session);
    expect((await get("/api/incidents", session)).statusCode).toBe(401);
  });
});

describe("acts", () => {
  test("carry the session's operator and this server's time, whatever the page says", async () => {
    const { post, signIn, sent } = await start(takes);
    const session = await signIn("Dilnoza");
    const body = { type: "take", incident: "7", key: KEY };
    expect((await post("/api/acts", body, session)).statusCode).toBe(200);
    expect(sent).toMatchObject([{ type: "act", act: { type: "take", incident: "7", operator: "Dilnoza" } }]);
    expect(
      (await post("/api/acts", { ...body, operator: "Somebody" }, session)).statusCode,
    ).toBeGreaterThanOrEqual(200);
    expect(sent.every((message) => message.type === "act" && message.act.operator === "Dilnoza")).toBe(true);
  });

  test("a double press is one question to the core, and both get its answer", async () => {
    const held: (() => void)[] = [];
    const { post, signIn, sent } = await start((message, app) => held.push(() => takes(message, app)));
    const session = await signIn();
    const body = { type: "take", incident: "7", key: KEY };
    const both = Promise.all([post("/api/acts", body, session), post("/api/acts", body, session)]);
    while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    for (const answer of held) answer();
    expect((await both).map((answer) => answer.statusCode)).toEqual([200, 200]);
    expect(sent).toHaveLength(1);
  });

  test("the core's refusal comes back with its reason", async () => {
    const { post, signIn } = await start((message, app) => {
      if (message.type === "act")
        app.hear({ type: "actResult", key: message.act.key, ok: false, reason: "It is closed." });
    });
    const answer = await post("/api/acts", { type: "take", incident: "7", key: KEY }, await signIn());
    expect([answer.statusCode, answer.json()]).toEqual([409, { error: "It is closed." }]);
  });
});

test("an evidence file comes as bytes under the incident's name", async () => {
  const { get, signIn } = await start((message, app) => {
    if (message.type === "evidence")
      app.hear({ type: "evidence", request: message.request, file: "oWF4AQ==" });
  });
  const session = await signIn();
  const answer = await get("/api/evidence/12", session);
  expect(answer.rawPayload).toEqual(Buffer.from("oWF4AQ==", "base64"));
  expect(answer.headers["content-disposition"]).toBe('attachment; filename="tugma-12.cbor"');
  expect((await get("/api/evidence/..%2f..%2fetc", session)).statusCode).toBe(404);
});
