import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loginLink } from "../../../centre/web/links.ts";
import { startWeb } from "../../../centre/web/server.ts";
import { needs } from "../../debian.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tugma-web-"));
  mkdirSync(join(dir, "keys"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const start = (host = "127.0.0.1") =>
  startWeb({ type: "start", dir, host, port: 0, centre: "test", realm: "test" }, () => {});

test("the first start offers a link; once there is an operator it offers none", async () => {
  const first = await start();
  expect(first.loginLink).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${first.port}/first#[\\w-]{43}$`));
  expect(loginLink(dir, "http://127.0.0.1:1", "Demo")).toMatch(/\/once#[\w-]{43}$/);
  await first.app.close();
  const second = await start();
  expect(second.loginLink).toBeNull();
  await second.app.close();
});

test("without a certificate the console refuses to face a network, and says what to do", async () => {
  await expect(start("0.0.0.0")).rejects.toThrow(/Put a certificate at .*web-cert\.pem/);
});

test.skipIf(!needs("openssl"))(
  "with a certificate it speaks https under that name only, and binds its cookie to it",
  async () => {
    const [key, cert] = [join(dir, "keys/web.pem"), join(dir, "keys/web-cert.pem")];
    const subject = ["-subj", "/CN=ptm.example", "-addext", "subjectAltName=DNS:ptm.example"];
    const files = ["-keyout", key, "-out", cert, "-days", "1"];
    execFileSync("openssl", ["req", "-x509", "-newkey", "ed25519", "-nodes", ...files, ...subject], {
      stdio: "ignore",
    });
    const { app, port, loginLink: link } = await start("0.0.0.0");
    const origin = `https://ptm.example:${port}`;
    expect(link?.startsWith(`${origin}/first#`)).toBe(true);
    const token = loginLink(dir, origin, "Demo").split("#")[1] ?? "";
    const ask = (host: string) =>
      post({ port, ca: readFileSync(cert, "utf8"), host, origin: `https://${host}` }, "/api/once", { token });
    expect((await ask(`other.example:${port}`)).status).toBe(421);
    const answer = await ask(`ptm.example:${port}`);
    expect(answer.cookie).toMatch(/^__Host-tugma=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/);
    await app.close();
  },
);

interface Target {
  readonly port: number;
  readonly ca: string;
  readonly host: string;
  readonly origin: string;
}

function post({ port, ca, host, origin }: Target, path: string, body: object) {
  const headers = { host, origin, "content-type": "application/json", "x-tugma": "test" };
  const options = { method: "POST", port, path, ca, servername: "ptm.example", headers, agent: false };
  return new Promise<{ status: number; cookie: string }>((resolve, reject) => {
    const request = https.request(options, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, cookie: response.headers["set-cookie"]?.[0] ?? "" });
    });
    request.on("error", reject);
    request.end(JSON.stringify(body));
  });
}
