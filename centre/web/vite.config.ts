import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/** The console, into dist/console. No inline code or style may come out of here: the server's policy forbids it. */
export default defineConfig({
  root: fileURLToPath(new URL("./console", import.meta.url)),
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: fileURLToPath(new URL("../../dist/console", import.meta.url)),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: "es2023",
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
});
