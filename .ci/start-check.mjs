// `npm start` as a newcomer runs it: up within 60 s, both printed addresses answer, Ctrl-C stops it within 3 s.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const dir = mkdtempSync(path.join(tmpdir(), "tugma-start-"));
const started = Date.now();
const demo = spawn("npm", ["start", "--", "--dir", dir], {
  stdio: ["ignore", "pipe", "inherit"],
  detached: true,
});
let output = "";
const gone = new Promise((resolve) => demo.once("exit", (code, signal) => resolve({ code, signal })));

function fail(why) {
  console.error(`start check: ${why}\n--- what it printed ---\n${output}`);
  process.exitCode = 1;
}

async function addresses() {
  for await (const chunk of demo.stdout) {
    output += chunk;
    const urls = [...output.matchAll(/https?:\/\/\S+/g)].map(([url]) => url);
    if (urls.length >= 2) return urls.slice(0, 2);
  }
  return [];
}

const timer = setTimeout(() => process.kill(-demo.pid, "SIGKILL"), 60_000);
try {
  const urls = await addresses();
  clearTimeout(timer);
  if (urls.length < 2) fail("no two addresses within 60 s");
  for (const url of urls) {
    const answer = await fetch(url);
    if (!answer.ok) fail(`${new URL(url).origin} answered ${answer.status}`);
  }
  console.log(`start check: up with ${urls.length} addresses after ${Date.now() - started} ms`);
  const stopped = Date.now();
  process.kill(-demo.pid, "SIGINT");
  const outcome = await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 10_000).unref())]);
  if (outcome === undefined) {
    process.kill(-demo.pid, "SIGKILL");
    fail("still running 10 s after Ctrl-C");
  } else {
    const ms = Date.now() - stopped;
    console.log(`start check: stopped after ${ms} ms`);
    if (ms > 3000) fail(`took ${ms} ms to stop, 3000 allowed`);
  }
} finally {
  clearTimeout(timer);
  rmSync(dir, { recursive: true, force: true });
}
