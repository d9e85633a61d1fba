// The page can be used by everybody, on any screen.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import test from "node:test";
import { choose, fixtures, PIXEL_7, useBrowser } from "./helpers.mjs";

const used = useBrowser();
const [known] = fixtures.known;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SCREENS = {
  "small phone, light": { viewport: { width: 360, height: 640 }, colorScheme: "light" },
  "small phone, dark": { viewport: { width: 360, height: 640 }, colorScheme: "dark" },
  "desktop, light": { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  "desktop, dark": { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
};

async function check(page, state) {
  await page.evaluate(`if (!globalThis.axe) { ${AXE} }`);
  const violations = await page.evaluate(async () => (await globalThis.axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`));
  assert.deepEqual(violations, [], state);
  const width = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(width <= 0, `${state}: ${width} px too wide`);
}

for (const [name, options] of Object.entries(SCREENS)) {
  test(`axe finds no problem, and nothing is too wide: ${name}`, async (context) => {
    const page = await used.open(context, { ...options, locale: name.includes("dark") ? "fr-FR" : "en-GB" });
    await check(page, "empty");
    await page.locator("footer summary").click();
    await choose(page, known.file, "unknown.jpg", "text.txt", "dark.jpg");
    await page.locator("article").nth(3).and(page.locator(":not(.waiting)")).waitFor();
    for (const summary of await page.locator("article summary").all()) await summary.click();
    await page.locator("article form button").first().click();
    await check(page, "answers");
    await page.locator("article form input").first().fill("Kiwano");
    await page.locator("article form button").first().click();
    await check(page, "correction");
  });
}

test("a photo can be corrected with the keyboard alone", async (context) => {
  const page = await used.open(context);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "choose");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement.closest("label")).outlineStyle);
  assert.equal(outline, "solid");
  await choose(page, known.file);
  await page.waitForFunction(() => document.activeElement.tagName === "H3");
  while ((await page.evaluate(() => document.activeElement.textContent)) !== "Is it another one?") await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.type("Kiwano");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator(".kept").innerText(), "Thank you. Kept as “Kiwano”.");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Download 1 corrected photo");
});

test("nothing moves for users who prefer it", async (context) => {
  const page = await used.open(context, { reducedMotion: "reduce" });
  const moving = await page.evaluate(() => {
    const card = document.createElement("article");
    card.className = "card waiting";
    card.innerHTML = '<div class="message"></div>';
    document.body.append(card);
    return getComputedStyle(card.firstChild).animationName;
  });
  assert.equal(moving, "none");
});

test("buttons are large enough for fingers", async (context) => {
  const page = await used.open(context, PIXEL_7);
  await choose(page, known.file);
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("button, summary, select, label.button")]
      .filter((element) => element.checkVisibility())
      .map((element) => [element.textContent, element.getBoundingClientRect().height])
      .filter(([, height]) => height < 44),
  );
  assert.deepEqual(small, []);
});
