/** The whole product as a newcomer meets it: `npm start`, a press in one window, an operator in the other. Everything
 *  between the two pages is real: firmware bundle, air, gateway protocol, hub, mutual TLS, centre. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../debian.ts";
import { launchChromium, openPage } from "./browser.ts";

const SHOTS = path.resolve("dist/shots");
/** One report at the lowest data rate, its answer, and the repeats of an unlucky first frame. */
const ROAD_MS = 90_000;

interface Demo {
  readonly entrances: string;
  readonly console: string;
  stop(): Promise<number | null>;
}

/** Starts what `npm start` runs and settles with the two addresses that it prints. */
async function startDemo(dir: string): Promise<Demo> {
  const child: ChildProcess = spawn(process.execPath, ["tugma.mjs", "demo", "--dir", dir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  const urls: string[] = [];
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const [url] = /https?:\/\/\S+/.exec(line) ?? [];
    if (url !== undefined) urls.push(url);
    if (urls.length === 2) break;
  }
  const [entrances = "", console = ""] = urls;
  if (console === "") throw new Error("the demo ended before it printed its addresses");
  return {
    entrances,
    console,
    stop() {
      child.kill("SIGINT");
      return exited;
    },
  };
}

const shoot = (page: Page, name: string) => page.screenshot({ path: path.join(SHOTS, `${name}.png`) });

describe.skipIf(!needs("chromium"))("npm start", () => {
  let browser: Browser;
  let demo: Demo;
  let operator: Page;
  const dir = mkdtempSync(path.join(tmpdir(), "tugma-road-"));
  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    [browser, demo] = await Promise.all([launchChromium(), startDemo(dir)]);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await demo?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  async function signIn(): Promise<Page> {
    const { page } = await openPage(browser, demo.console);
    await page.getByLabel("Name").fill("Dilnoza");
    await page.getByLabel("Password", { exact: true }).fill("a good sentence");
    await page.getByLabel("Password again").fill("a good sentence");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Start shift" }).waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".bar").waitFor();
    return page;
  }

  test(
    "a press reaches the operator, and every stage comes back to the lamp",
    async () => {
      operator = await signIn();
      const { page: street, complaints } = await openPage(browser, demo.entrances);
      const panel = street.locator("[data-entrance]").first();
      const word = panel.locator(".lamp-words");
      const shows = (wanted: string) =>
        panel.locator(`.lamp-words[data-word="${wanted}"]`).waitFor({ timeout: ROAD_MS });
      await panel.locator(".mushroom").hover();
      await street.mouse.down();
      await expect.poll(() => word.getAttribute("data-word"), { timeout: 10_000 }).toBe("sending");
      await shoot(street, "entrance-sending");
      await street.mouse.up();

      const seen = operator
        .locator(".line", { hasText: "Panic" })
        .first()
        .waitFor({ timeout: ROAD_MS })
        .then(() => performance.now());
      const received = shows("received").then(() => performance.now());
      const [seenMs, receivedMs] = await Promise.all([seen, received]);
      expect(seenMs).toBeLessThan(receivedMs + 1000);
      await shoot(street, "entrance-received");
      await shoot(operator, "console-new");

      await operator.keyboard.press("t");
      await operator.getByText("Taken. It is yours.").waitFor();
      await shows("taken");
      await shoot(street, "entrance-taken");
      await shoot(operator, "console-taken");

      await operator.keyboard.press("c");
      await operator.keyboard.press("5");
      await operator.keyboard.press("Enter");
      await operator.getByText("Closed.", { exact: true }).waitFor();
      await expect
        .poll(() => street.locator('[data-step="closed"].is-lit').count(), { timeout: ROAD_MS })
        .toBe(1);
      await shoot(street, "entrance-closed");
      await shoot(operator, "console-closed");
      expect(complaints).toEqual([]);
    },
    4 * ROAD_MS,
  );

  test(
    "a press in the wired stairwell comes by the bus, and its lamp hears of it there",
    async () => {
      const { page: street, complaints } = await openPage(browser, demo.entrances);
      const panel = street.locator("[data-entrance]").last();
      await panel.getByText("wire, RS-485").waitFor();
      await panel.locator(".mushroom").hover();
      await street.mouse.down();
      await panel.locator('.lamp-words[data-word="received"]').waitFor({ timeout: ROAD_MS });
      await street.mouse.up();
      await street.locator('[data-step="gateway"].is-lit', { hasText: "bus adapter" }).waitFor();
      await street.locator('[data-step="seal"].is-lit').waitFor();
      for (const language of ["uz", "ru", "en"]) {
        await street.locator(`.languages [lang="${language}"]`).click();
        await shoot(street, `stairwell-${language}`);
      }
      expect(complaints).toEqual([]);
    },
    2 * ROAD_MS,
  );

  test(
    "smoke under the shop's ceiling reaches the operator and its sensor's light; out, it is over",
    async () => {
      const { page: street, complaints } = await openPage(browser, demo.entrances);
      await street.getByRole("link", { name: "Fire in the shop" }).press("Enter");
      for (const name of ["Temperature rises", "Smoke thickens"]) {
        await street.getByRole("slider", { name }).focus();
        await street.keyboard.press("End");
      }
      const smoke = street.locator(".sensor", { hasText: "Smoke sensor" });
      await smoke.getByText("red light on").waitFor({ timeout: ROAD_MS });
      await operator.locator(".line", { hasText: "Smoke" }).first().waitFor({ timeout: ROAD_MS });
      await smoke.getByText("FIRE").waitFor({ timeout: ROAD_MS });
      const heat = street.locator(".sensor", { hasText: "Heat sensor" });
      await heat.getByText("FIRE").waitFor({ timeout: 2 * ROAD_MS });
      await expect
        .poll(() => street.locator('[data-step="seal"].is-lit').count(), { timeout: ROAD_MS })
        .toBe(1);
      await shoot(operator, "console-fire");
      for (const language of ["uz", "ru", "en"]) {
        await street.locator(`.languages [lang="${language}"]`).click();
        await street.locator(".top .jump").click();
        await shoot(street, `fire-${language}`);
      }
      await street.getByRole("button", { name: "Put the fire out" }).click();
      await smoke.getByText("light off").waitFor({ timeout: 2 * ROAD_MS });
      await smoke.getByText("Quiet").waitFor({ timeout: 2 * ROAD_MS });
      expect(complaints).toEqual([]);
    },
    8 * ROAD_MS,
  );

  test("Ctrl-C stops everything within three seconds", async () => {
    const begun = performance.now();
    expect(await demo.stop()).toBe(0);
    expect(performance.now() - begun).toBeLessThan(3000);
  });
});
