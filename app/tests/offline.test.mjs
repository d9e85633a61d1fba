// The page works in flight mode, can be installed, and sends nothing.
import assert from "node:assert/strict";
import test from "node:test";
import { choose, fixtures, useBrowser } from "./helpers.mjs";

const used = useBrowser();
const [known] = fixtures.known;

test("the page opens and answers without network", async (context) => {
  const page = await used.open(context);
  await page.context().setOffline(true);
  await page.reload();
  await page.locator("#engine.readyOffline").waitFor();
  const card = await choose(page, known.file);
  assert.ok(await card.locator(".facts").isVisible());
  await page.goto(`${used.url}?from=home-screen`);
  await page.locator("#engine.readyOffline").waitFor();
});

test("no request is made after loading", async (context) => {
  const page = await used.open(context);
  const requests = [];
  page.context().on("request", (request) => {
    if (!request.url().startsWith("blob:")) requests.push(request.url());
  });
  const card = await choose(page, known.file);
  await choose(page, "unknown.jpg", "text.txt");
  await page.getByLabel("Language").selectOption("fr");
  await page.locator("article.answered .correction summary").first().click();
  await page.locator("article.answered form input").first().fill("Kiwano");
  await page.locator("article.answered form button").first().click();
  await Promise.all([page.waitForEvent("download"), page.locator("#download button").click()]);
  await card.waitFor();
  await page.waitForTimeout(500);
  assert.deepEqual(requests, []);
});

test("the policy of the page blocks all other addresses", async (context) => {
  const page = await used.open(context);
  const outcomes = await page.evaluate(async () => {
    const blocked = [];
    document.addEventListener("securitypolicyviolation", (event) => blocked.push(event.effectiveDirective));
    const elsewhere = "http://127.0.0.1:9/";
    const fetched = await fetch(elsewhere, { method: "POST", body: "photo", mode: "no-cors" }).then(
      () => "sent",
      () => "refused",
    );
    navigator.sendBeacon(elsewhere, "photo");
    const image = new Image();
    image.src = elsewhere;
    const form = document.createElement("form");
    form.action = elsewhere;
    document.body.append(form);
    form.submit();
    await new Promise((resolve) => setTimeout(resolve, 300));
    return { fetched, blocked: [...new Set(blocked)].sort() };
  });
  assert.deepEqual(outcomes, { fetched: "refused", blocked: ["connect-src", "form-action", "img-src"] });
});

test("Chromium finds nothing that prevents the installation", async (context) => {
  const page = await used.open(context);
  const session = await page.context().newCDPSession(page);
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
  const errors = installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== "in-incognito");
  assert.deepEqual(errors, []);
  const { errors: manifestErrors, data } = await session.send("Page.getAppManifest");
  assert.deepEqual(manifestErrors, []);
  const { icons, display } = JSON.parse(data);
  assert.equal(display, "standalone");
  for (const { src, sizes } of icons.filter(({ type }) => type === "image/png")) {
    const size = await page.evaluate(async (address) => {
      const bitmap = await createImageBitmap(await (await fetch(address)).blob());
      return `${bitmap.width}x${bitmap.height}`;
    }, src);
    assert.equal(size, sizes);
  }
});
