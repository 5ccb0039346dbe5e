/** The operator's console in a real browser, in front of the real web server. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { buildPages } from "../../hardware/demo/build-pages.ts";
import { needs } from "../debian.ts";
import { launchChromium, openPage } from "./browser.ts";
import { type FakeCentre, startFakeCentre } from "./fake-centre.ts";
import { sampleHubs, sampleIncident, sampleQueue } from "./samples.ts";

describe.skipIf(!needs("chromium"))("console", () => {
  let browser: Browser;
  beforeAll(async () => {
    await buildPages();
    browser = await launchChromium();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  /** Signed in by a one-time link, and the shift begun, with the keyboard. */
  async function startShift(centre: FakeCentre, name = "Dilnoza") {
    const watched = await openPage(browser, centre.loginLink(name));
    await watched.page.getByRole("button", { name: "Start shift" }).waitFor();
    await watched.page.keyboard.press("Enter");
    await watched.page.locator(".bar").waitFor();
    return watched;
  }
  const lineTexts = (page: Page) => page.locator(".line").allInnerTexts();
  const openLine = (page: Page) => page.locator('.line[aria-selected="true"]');
  const queue = () => sampleQueue(Date.now());

  test("the first operator is made by the printed link, once, and signs in with the password later", async () => {
    await using centre = await startFakeCentre();
    const link = centre.firstLink ?? "";
    const { page, complaints } = await openPage(browser, link);
    await page.getByLabel("Name").fill("Dilnoza");
    await page.getByLabel("Password", { exact: true }).fill("a good sentence");
    await page.getByLabel("Password again").fill("a good sentence");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Start shift" }).waitFor();
    expect(page.url()).not.toContain("#");
    const again = await openPage(browser, link);
    await again.page.getByLabel("Name").fill("Somebody");
    await again.page.getByLabel("Password", { exact: true }).fill("a good sentence");
    await again.page.getByLabel("Password again").fill("a good sentence");
    await again.page.keyboard.press("Enter");
    await again.page.getByText("This link was used or has expired").waitFor();
    await again.page.goto(centre.address);
    await again.page.getByLabel("Name").fill("dilnoza");
    await again.page.getByLabel("Password").fill("a good sentence");
    await again.page.keyboard.press("Enter");
    await again.page.getByRole("button", { name: "Start shift" }).waitFor();
    expect(complaints).toEqual([]);
  });

  test("take, send a team and close with a cause, by keyboard alone", async () => {
    await using centre = await startFakeCentre(queue(), sampleHubs(Date.now()));
    const { page, complaints } = await startShift(centre);
    await openLine(page).getByText("Smoke").waitFor();
    expect(await page.title()).toBe("(4) Tugma");
    await page.keyboard.press("t");
    await page.getByText("Taken. It is yours.").waitFor();
    expect(await page.title()).toBe("(3) Tugma");
    await page.keyboard.press("d");
    await page.keyboard.type("Team 3, Chilonzor");
    await page.keyboard.press("Enter");
    await page.getByText("Team noted as on the way.").waitFor();
    await page.keyboard.press("n");
    await page.keyboard.type("code of the door is with the concierge");
    await page.keyboard.press("Enter");
    await page.getByText("Note kept.").waitFor();
    await page.keyboard.press("c");
    await page.keyboard.press("2");
    await page.keyboard.press("Enter");
    await page.getByText("Closed.", { exact: true }).waitFor();
    expect(centre.acts.map(({ type, operator, text, cause }) => [type, operator, cause ?? text])).toEqual([
      ["take", "Dilnoza", undefined],
      ["dispatch", "Dilnoza", "Team 3, Chilonzor"],
      ["note", "Dilnoza", "code of the door is with the concierge"],
      ["close", "Dilnoza", "user"],
    ]);
    expect(centre.incident("2")?.stage).toBe("closed");
    expect(await page.locator(".ladder .is-reached").count()).toBe(5);
    expect(complaints).toEqual([]);
  });

  test("the letters work on a Russian keyboard, and a held or doubled key acts once", async () => {
    await using centre = await startFakeCentre(queue());
    const { page } = await startShift(centre);
    await openLine(page).waitFor();
    // what Chromium sends for the T key on a Russian layout
    const press =
      "window.dispatchEvent(new KeyboardEvent('keydown', { key: 'е', code: 'KeyT', bubbles: true }))";
    await page.evaluate(`${press}; ${press}; ${press.replace("'KeyT'", "'KeyT', repeat: true")}`);
    await page.getByText("Taken. It is yours.").waitFor();
    expect(centre.acts).toHaveLength(1);
  });

  test("two operators take one alarm: one has it, the other is told who", async () => {
    await using centre = await startFakeCentre(queue());
    const [first, second] = [await startShift(centre, "Dilnoza"), await startShift(centre, "Bobur")];
    await openLine(second.page).waitFor();
    centre.freeze();
    await first.page.keyboard.press("t");
    await second.page.keyboard.press("t");
    centre.thaw();
    const results = await Promise.all(
      [first, second].map(async ({ page }) => {
        const outcome = page.locator(".outcome.is-done, .outcome.is-failed");
        await outcome.waitFor();
        return outcome.textContent();
      }),
    );
    expect(results.sort()[1]).toBe("Taken. It is yours.");
    expect(results[0]).toMatch(/^Not done: (Dilnoza|Bobur) has it$/);
  });

  test("loss of link covers the screen within five seconds, keys do nothing, and the page resumes by itself", async () => {
    await using centre = await startFakeCentre(queue());
    const { page } = await startShift(centre);
    await openLine(page).waitFor();
    centre.freeze();
    const frozen = performance.now();
    await page.locator(".cover").waitFor({ timeout: 10_000 });
    expect(performance.now() - frozen).toBeLessThan(5000);
    await page.getByText(/No link to the centre for \d+ s\./).waitFor();
    await page.getByText(/What you see is from \d\d:\d\d:\d\d\./).waitFor();
    await page.keyboard.press("t");
    centre.raise(sampleIncident({ id: "20", kind: "duress", place: 1, openedMs: Date.now() }));
    centre.thaw();
    await page.locator(".cover").waitFor({ state: "detached" });
    await page.locator(".line", { hasText: "Duress" }).waitFor();
    expect(centre.acts).toEqual([]);
  });

  test("a reload keeps the operator, the shift and the open alarm, and misses nothing", async () => {
    await using centre = await startFakeCentre(queue());
    const { page } = await startShift(centre);
    await openLine(page).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("t");
    await page.getByText("Taken. It is yours.").waitFor();
    await page.reload();
    centre.raise(sampleIncident({ id: "21", kind: "medical", openedMs: Date.now() }));
    await page.locator(".line", { hasText: "Medical" }).waitFor();
    expect(await openLine(page).textContent()).toContain("Intrusion");
    expect(await page.locator(".card-owner").textContent()).toContain("with you");
  });

  test("a drill is said on its line, in its card and in its dialogs, stays below every real alarm and never counts", async () => {
    await using centre = await startFakeCentre(queue());
    const { page } = await startShift(centre);
    await openLine(page).waitFor();
    const drill = { kind: "panic", mode: "drill", drill: "Minor-1", place: 2 } as const;
    centre.raise(sampleIncident({ ...drill, id: "30", openedMs: Date.now() - 900_000 }));
    await page.locator("#line-30").waitFor();
    expect(await page.title()).toBe("(4) Tugma");
    const modes = await page.evaluate(
      "[...document.querySelectorAll('.line')].map((line) => line.dataset.mode)",
    );
    expect(modes).toEqual(["real", "real", "real", "real", "drill", "drill", "test"]);
    for (const text of await page.locator('.line[data-mode="drill"]').allInnerTexts())
      expect(text).toContain("DRILL");
    await page.locator("#line-30").click();
    await page.getByText("This is a drill. Act by the drill plan; no team is sent for real.").waitFor();
    await page.keyboard.press("t");
    await page.getByText("Taken. It is yours.").waitFor();
    await page.keyboard.press("c");
    expect(await page.locator(".dialog-subject").textContent()).toContain("Drill");
    await page.keyboard.press("Escape");
    // the same button, pressed for real meanwhile, is an alarm of its own and stands above
    centre.raise(sampleIncident({ id: "31", kind: "panic", place: 2, openedMs: Date.now() }));
    await page.locator("#line-31").waitFor();
    expect(await page.title()).toBe("(5) Tugma");
    const texts = await lineTexts(page);
    expect(texts.findIndex((text) => text.includes("DRILL"))).toBe(5);
  });

  test("a new alarm moves neither the focus, nor the open line, nor the line under the pointer, nor what is being typed", async () => {
    const many = Array.from({ length: 14 }, (_, i) =>
      sampleIncident({
        id: String(100 + i),
        kind: "intrusion",
        place: i % 4,
        openedMs: Date.now() - 60_000 + i,
      }),
    );
    await using centre = await startFakeCentre(many);
    const { page } = await startShift(centre);
    await openLine(page).waitFor();
    const topOf = async (id: string) => (await page.locator(`#line-${id}`).boundingBox())?.y;
    await page.locator("#line-102").click();
    await page.keyboard.press("n");
    await page.keyboard.type("half a sent");
    const before = await topOf("102");
    for (const id of ["201", "202", "203"]) {
      centre.raise(sampleIncident({ id, kind: "panic", openedMs: Date.now() }));
      await page.locator(`#line-${id}`).waitFor();
    }
    expect(await topOf("102")).toBe(before);
    await page.keyboard.type("ence");
    expect(await page.locator('input[name="note"]').inputValue()).toBe("half a sentence");
    await page.keyboard.press("Escape");
    await page.locator(".next-strip", { hasText: "Panic" }).waitFor();
    expect(await openLine(page).getAttribute("id")).toBe("line-102");
    await page.locator("#line-104").hover();
    const hovered = await topOf("104");
    centre.raise(sampleIncident({ id: "204", kind: "panic", openedMs: Date.now() }));
    await page.locator("#line-204").waitFor({ state: "attached" });
    expect(await topOf("104")).toBe(hovered);
    await page.keyboard.press("Home");
    expect(await openLine(page).textContent()).toContain("Panic");
  });

  test("a search narrows the queue but hides no untaken real alarm", async () => {
    await using centre = await startFakeCentre(queue());
    const { page } = await startShift(centre);
    await openLine(page).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("test");
    await expect.poll(() => page.locator(".line").count()).toBe(5);
    expect(await page.locator('.line[data-mode="drill"]').count()).toBe(0);
    await page.keyboard.press("Escape");
    await expect.poll(() => page.locator(".line").count()).toBe(6);
  });

  test("three languages are switched live and kept", async () => {
    await using centre = await startFakeCentre(queue());
    const { page, complaints } = await startShift(centre);
    await page.getByRole("button", { name: "uz", exact: true }).click();
    await openLine(page).getByText("Tutun").waitFor();
    await page.getByRole("button", { name: "ru", exact: true }).click();
    await openLine(page).getByText("Дым").waitFor();
    await page.reload();
    await openLine(page).getByText("Дым").waitFor();
    expect(complaints).toEqual([]);
  });

  test("nothing is cut off or hidden at 200 % zoom of a small screen", async () => {
    await using centre = await startFakeCentre(queue(), sampleHubs(Date.now()));
    const { page } = await startShift(centre);
    await page.setViewportSize({ width: 640, height: 400 });
    await openLine(page).waitFor();
    const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    expect(await page.evaluate(overflow)).toBe(0);
    await page.getByRole("button", { name: "Take" }).scrollIntoViewIfNeeded();
    await page.getByRole("button", { name: "Take" }).click();
    await page.getByText("Taken. It is yours.").waitFor();
  });

  test("the evidence file of the open alarm is downloaded", async () => {
    await using centre = await startFakeCentre(queue());
    const { page } = await startShift(centre);
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "Evidence file" }).click();
    expect((await download).suggestedFilename()).toBe("tugma-2.cbor");
  });
});
