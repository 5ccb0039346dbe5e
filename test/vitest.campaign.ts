import { defineConfig } from "vitest/config";

const CAMPAIGN = { testTimeout: 1_500_000, hookTimeout: 120_000, pool: "forks" } as const;
/** Fingers and air in real time: many minutes, little work for the machine. */
const BUTTONS = ["test/campaign/hub-crash.test.ts", "test/campaign/soak.test.ts"];
/** Seconds and megabytes are promised, so nothing else may run. */
const MEASURED = "test/campaign/link-cut.test.ts";

/** `npm run test:campaign`: kills, cuts and copies that take minutes. They share no file and no port, and only the last
 *  one's promises are about time: two at a time, the buttons first, then that one alone. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { ...CAMPAIGN, name: "buttons", include: BUTTONS, sequence: { groupOrder: 0 } } },
      {
        test: {
          ...CAMPAIGN,
          name: "load",
          include: ["test/campaign/**/*.test.ts"],
          exclude: [...BUTTONS, MEASURED],
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...CAMPAIGN, name: "measured", include: [MEASURED], sequence: { groupOrder: 1 } } },
    ],
  },
});
