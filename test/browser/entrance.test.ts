/** The entrance page in a real browser, in front of its real server and a site that does what the test says. */
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { buildPages } from "../../hardware/demo/build-pages.ts";
import { startEntranceServer } from "../../hardware/demo/entrance-server.ts";
import type { LampLevels, StripStep } from "../../hardware/demo/entrance-site.ts";
import { createRealClock } from "../../hardware/virtual/clock.ts";
import { needs } from "../debian.ts";
import { launchChromium, openPage } from "./browser.ts";
import { createFakeSite, DARK } from "./fake-site.ts";

describe.skipIf(!needs("chromium"))("entrance page", () => {
  let browser: Browser;
  beforeAll(async () => {
    await buildPages();
    browser = await launchChromium();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  async function openSite() {
    const site = createFakeSite();
    const server = await startEntranceServer({ port: 0, host: "127.0.0.1", site, clock: createRealClock() });
    const { page, complaints } = await openPage(browser, server.address);
    await page.locator(".mushroom").first().waitFor();
    const id = site.entrances[1]?.id ?? "";
    const panel = page.locator(`[data-entrance="${id}"]`);
    return {
      site,
      server,
      page,
      complaints,
      id,
      panel,
      button: panel.locator(".mushroom"),
      light: (levels: Partial<LampLevels>) =>
        site.emit({ type: "lamp", entrance: id, levels: { ...DARK, ...levels }, atMs: Date.now() }),
      step: (step: StripStep, sinceMs: number) =>
        site.emit({ type: "strip", entrance: id, step, atMs: Date.now(), sinceMs }),
      async [Symbol.asyncDispose]() {
        await page.context().close();
        await server.close();
      },
    };
  }

  test("mouse and space bar hold the button down until they let go", async () => {
    await using world = await openSite();
    const { page, button, site, id } = world;
    await button.hover();
    await page.mouse.down();
    await expect.poll(() => site.log).toEqual([`press ${id}`]);
    expect(await button.getAttribute("aria-pressed")).toBe("true");
    await page.mouse.move(5, 5);
    await page.mouse.up();
    await expect.poll(() => site.log).toEqual([`press ${id}`, `release ${id}`]);
    await page.keyboard.down(" ");
    await page.keyboard.down(" ");
    await page.keyboard.up(" ");
    await expect.poll(() => site.log.length).toBe(4);
    expect(world.complaints).toEqual([]);
  });

  test("a page that is closed in the middle of a press leaves no button stuck", async () => {
    await using world = await openSite();
    await world.button.hover();
    await world.page.mouse.down();
    await expect.poll(() => world.site.log.length).toBe(1);
    await world.page.close();
    await expect.poll(() => world.site.log).toEqual([`press ${world.id}`, `release ${world.id}`]);
  });

  test("the lamp shows the pins, and the words say what its rhythm means", async () => {
    await using world = await openSite();
    const { panel, light } = world;
    const word = () => panel.locator(".lamp-words").getAttribute("data-word");
    const lamp = () => panel.locator(".panel").getAttribute("data-lamp");
    expect([await lamp(), await word()]).toEqual(["dark", "off"]);
    light({ amber: true });
    await expect.poll(lamp).toBe("amber");
    await expect.poll(word).toBe("stored");
    light({ green: true });
    await expect.poll(word).toBe("received");
    await panel.getByText("The centre has it").waitFor();
    light({ red: true, buzzer: true });
    await expect.poll(lamp).toBe("red");
    await expect.poll(word).toBe("notDelivered");
    light({});
    await expect.poll(word, { timeout: 5000 }).toBe("off");
  });

  test("the road lights station by station with milliseconds, also for a page that opens later", async () => {
    await using world = await openSite();
    world.site.press(world.id);
    world.step("air", 61);
    world.step("gateway", 1240);
    const lit = () => world.page.locator(".station.is-lit").allInnerTexts();
    await expect.poll(async () => (await lit()).length).toBe(2);
    expect((await lit()).join("\n")).toMatch(/61 ms[\s\S]*1,240 ms/);
    await world.page.reload();
    await expect.poll(async () => (await lit()).length).toBe(2);
    world.site.press(world.id);
    await expect.poll(async () => (await lit()).length).toBe(0);
  });

  test("each switch cuts its own line and shows it", async () => {
    await using world = await openSite();
    const names = ["centre", "gateway:02000000000000a1", `mains:${world.id}`];
    for (const name of names) {
      const found = world.page.locator(`[data-switch="${name}"]`);
      await found.click();
      await expect.poll(() => found.getAttribute("aria-checked")).toBe("false");
    }
    expect(world.site.log).toEqual(names.map((name) => `${name} off`));
  });

  test("no other page may press", async () => {
    await using world = await openSite();
    const body = JSON.stringify({ entrance: world.id, down: true, client: "x" });
    const headers = { "content-type": "application/json", "x-tugma": "1", origin: "http://127.0.0.1:1" };
    const answer = await fetch(`${world.server.address}/api/press`, { method: "POST", headers, body });
    expect(answer.status).toBe(403);
    expect(world.site.log).toEqual([]);
  });
});
