import { test } from "vitest";
import { crashRounds } from "../centre/crash.ts";

test("100 kills of a centre at random moments under load: every press that was acknowledged is there once", () =>
  crashRounds(100, 500));
