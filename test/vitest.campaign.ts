import { defineConfig } from "vitest/config";

/** `npm run test:campaign`: kills, cuts and storms that take minutes. One file at a time, so that they do not starve each other. */
export default defineConfig({
  test: {
    include: ["test/campaign/**/*.test.ts"],
    testTimeout: 1_500_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    pool: "forks",
  },
});
