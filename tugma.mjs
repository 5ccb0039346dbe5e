#!/usr/bin/env node
// The one entry. Plain JavaScript that any Node parses, because its first job is to say which Node is needed.
const [major = 0] = process.versions.node.split(".").map(Number);
if (major < 24 || major >= 26) {
  console.error(
    `tugma: this is Node ${process.versions.node} (${process.execPath}); Node 24 or 25 is needed.\n` +
      "  It comes with the packages: run `npm ci` here, then `npx tugma …` or `npm start`, which use node_modules/.bin/node.\n" +
      "  If it is still missing, the optional packages were left out: run `npm ci --include=optional`.",
  );
  process.exitCode = 78; // EX_CONFIG
} else {
  // Type stripping is how the firmware is built, on purpose: its "experimental" notice would only worry an installer.
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name !== "ExperimentalWarning") console.error(warning.stack ?? String(warning));
  });
  // A hub runs for years beside others on a small board: its young objects live for a few milliseconds, and V8 would spread
  // them over more than a hundred megabytes. Before anything is compiled, and for all of a hub's commands, since what was
  // compiled once is kept per flags: whoever enrols a hub makes its first start a quick one.
  if (process.argv[2] === "hub") {
    const { readFileSync } = await import("node:fs");
    const { setFlagsFromString } = await import("node:v8");
    const flags = JSON.parse(readFileSync(new URL("hub/v8-flags.json", import.meta.url), "utf8"));
    for (const flag of flags) setFlagsFromString(flag);
  }
  // What was compiled once is kept in the system's folder for temporary files: a hub starts in half the time.
  const { enableCompileCache, getCompileCacheDir } = await import("node:module");
  enableCompileCache();
  process.env.NODE_COMPILE_CACHE ??= getCompileCacheDir() ?? "";
  const { main } = await import("./tugma.ts");
  process.exitCode = await main(process.argv.slice(2));
}
