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
        site.emit({ type: "lamp", device: id, levels: { ...DARK, ...levels }, atMs: Date.now() }),
      step: (step: StripStep, sinceMs: number) =>
        site.emit({ type: "strip", device: id, step, atMs: Date.now(), sinceMs }),
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

  test("arrow keys make the fire, the numbers show it, and one button puts it out", async () => {
    await using world = await openSite();
    const { page, site } = world;
    const rise = page.getByRole("slider", { name: "Temperature rises" });
    const smoke = page.getByRole("slider", { name: "Smoke thickens" });
    await page.getByRole("link", { name: "Fire in the shop" }).press("Enter");
    await rise.focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("End");
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => site.log).toEqual(["burn 5 0", "burn 10 0", "burn 30 0", "burn 30 2"]);
    expect(await rise.getAttribute("aria-valuetext")).toBe("30 K/min");
    expect(await smoke.getAttribute("aria-valuetext")).toBe("2 %/m per minute");
    const air = { celsius: 61.44, smoke: 3.6, kelvinPerMinute: 30, smokePerMinute: 2 };
    site.emit({ type: "air", room: "shop", air, atMs: Date.now() });
    await page.getByText("61.4 °C").waitFor();
    await page.getByText("3.6 %/m", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Put the fire out" }).click();
    await expect.poll(() => site.log.at(-1)).toBe("burn 0 0");
    await expect.poll(() => rise.getAttribute("aria-valuetext")).toBe("0 K/min");
    expect(world.complaints).toEqual([]);
  });

  test("pre-alarm and alarm stand in words beside the sensor, and at the top of the page", async () => {
    await using world = await openSite();
    const { page, site } = world;
    const device = site.rooms[0]?.sensors[1]?.id ?? "";
    const sensor = page.locator(`[data-sensor="${device}"]`);
    for (const [word, text] of [
      ["preAlarm", "Pre-alarm"],
      ["alarm", "FIRE"],
    ] as const) {
      site.emit({ type: "sensor", device, word, atMs: Date.now() });
      await sensor.getByText(text).waitFor();
      await page.locator(".top .jump").getByText(text).waitFor();
    }
    site.emit({ type: "alarm", device, atMs: Date.now() });
    site.emit({ type: "lamp", device, levels: { ...DARK, red: true }, atMs: Date.now() });
    await sensor.getByText("red light on").waitFor();
    await page.getByText("The road of one alarm: Bog‘iston 16, do‘kon, Heat sensor").waitFor();
    await page.reload();
    await sensor.getByText("FIRE").waitFor();
  });

  test("no fire beyond the sliders, and none in a room that is not there", async () => {
    await using world = await openSite();
    const burn = async (room: string, kelvinPerMinute: number) => {
      const body = JSON.stringify({ room, kelvinPerMinute, smokePerMinute: 0 });
      const origin = world.server.address;
      const headers = { "content-type": "application/json", "x-tugma": "entrance", origin };
      return (await fetch(`${world.server.address}/api/fire`, { method: "POST", headers, body })).status;
    };
    expect(await Promise.all([burn("shop", 31), burn("shop", -1), burn("cellar", 5)])).toEqual([
      400, 400, 404,
    ]);
    expect(world.site.log).toEqual([]);
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
