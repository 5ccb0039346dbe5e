import { expect, test } from "vitest";
import { createHands } from "../../../hardware/demo/hands.ts";
import { createSiteView } from "../../../hardware/demo/site-view.ts";
import { createFakeSite } from "../../browser/fake-site.ts";

function handsOn() {
  const log: string[] = [];
  const hands = createHands({
    press: (id) => log.push(`press ${id}`),
    release: (id) => log.push(`release ${id}`),
  });
  return { hands, log };
}

test("a button comes up when the last hand leaves it", () => {
  const { hands, log } = handsOn();
  hands.press("one", "a");
  hands.press("two", "a");
  hands.press("two", "a");
  hands.letGo("one", "a");
  expect(log).toEqual(["press a"]);
  hands.letGo("two", "a");
  hands.letGo("two", "a");
  expect(log).toEqual(["press a", "release a"]);
});

test("a page that goes away lets go of everything it held, and of nothing else", () => {
  const { hands, log } = handsOn();
  hands.press("one", "a");
  hands.press("one", "b");
  hands.press("two", "b");
  hands.letGoOf("one");
  expect(log).toEqual(["press a", "press b", "release a"]);
  hands.letGoAll();
  expect(log.at(-1)).toBe("release b");
});

test("a press begins a new strip, and a repeated frame moves no time on it", () => {
  const site = createFakeSite();
  const view = createSiteView(site);
  site.subscribe(view.follow);
  const [entrance] = site.entrances.map((each) => each.id);
  const strip = () => view.picture().entrances[0]?.strip.map((mark) => [mark.step, mark.sinceMs]);
  const step = (name: "air" | "gateway", sinceMs: number) =>
    site.emit({ type: "strip", device: entrance ?? "", step: name, atMs: sinceMs, sinceMs });
  site.press(entrance ?? "");
  step("air", 61);
  step("gateway", 120);
  step("air", 3100);
  expect(strip()).toEqual([
    ["air", 61],
    ["gateway", 120],
  ]);
  site.press(entrance ?? "");
  expect(strip()).toEqual([]);
});
