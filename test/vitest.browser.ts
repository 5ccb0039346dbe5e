import { defineConfig } from "vitest/config";

/** `npm run test:browser`: the built pages in the system's Chromium, one file at a time. */
export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/browser/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    fileParallelism: false,
  },
});
