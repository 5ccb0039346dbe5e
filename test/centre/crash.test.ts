import { test } from "vitest";
import { crashRounds } from "./crash.ts";

test("a centre that is killed at any moment under load keeps every word that it gave", () =>
  crashRounds(6, 400));
