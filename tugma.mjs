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
  // What was compiled once is kept in the system's folder for temporary files: a hub starts in half the time.
  const { enableCompileCache, getCompileCacheDir } = await import("node:module");
  enableCompileCache();
  process.env.NODE_COMPILE_CACHE ??= getCompileCacheDir() ?? "";
  const { main } = await import("./tugma.ts");
  process.exitCode = await main(process.argv.slice(2));
}
