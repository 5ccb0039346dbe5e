import { defineConfig } from "vitest/config";

/** `npm test`: everything that needs no minutes. The campaigns and the browser have configurations of their own in test/. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/campaign/**", "test/browser/**", "node_modules/**"],
    testTimeout: 20_000,
    pool: "forks",
  },
});
