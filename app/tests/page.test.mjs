// What a user does on the page.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { unzipSync } from "fflate";
import { Facts } from "../build/engine.mjs";
import { readFacts } from "../facts.mjs";
import { choose, fixture, fixtures, PIXEL_7, useBrowser } from "./helpers.mjs";
import { python } from "./python.mjs";

const used = useBrowser();
const [known, second] = fixtures.known;

const facts = new Facts(readFacts());

/** Return the name that the page shows for the answer to a fixture. */
function nameOf({ answer }) {
  return facts.nameOf(answer, "en");
}

test("the page loads without problems, and says that it works offline", async (context) => {
  const page = await used.open(context);
  assert.equal(await page.title(), "Fruits!");
  assert.equal(await page.locator("h1").innerText(), "Which fruit is this?");
  assert.equal(await page.locator("#engine").innerText(), "Ready, even offline");
  assert.deepEqual(page.problems, []);
});

test("a chosen photo is answered with its probability, four bars and facts", async (context) => {
  const page = await used.open(context);
  const card = await choose(page, known.file);
  assert.equal(await card.locator("h3").innerText(), nameOf(known));
  assert.equal(await card.locator(".badge").innerText(), "Almost certain");
  assert.match(await card.locator(".certainty .share").innerText(), /^9\d%$/);
  assert.equal(await card.locator(".bars li").count(), 4);
  const terms = await card.locator("dt").allInnerTexts();
  assert.deepEqual(terms, ["Species", "Family", "Origin", "Season in Europe", "How to keep it"]);
  assert.ok((await card.locator(".diversity .number").innerText()).length > 3);
  await card.getByText("Sources", { exact: true }).click();
  assert.ok((await card.locator(".sources a").count()) >= 4);
  assert.equal(await page.locator("#announcer").innerText(), await card.locator("h3").innerText());
  assert.deepEqual(page.problems, []);
});

test("a photo below the threshold is not known, and the most similar fruits are shown", async (context) => {
  const page = await used.open(context);
  const card = await choose(page, "unknown.jpg");
  assert.equal(await card.locator("h3").innerText(), "I don’t know this one");
  assert.equal(await card.locator(".bars li").count(), 5);
  assert.equal(await card.locator(".facts").count(), 0);
});

test("several photos are answered, in the order in which they were chosen", async (context) => {
  const page = await used.open(context);
  await choose(page, known.file, second.file, "unknown.jpg");
  await page.locator("article.answered").nth(2).waitFor();
  const headings = await page.locator("article h3").allInnerTexts();
  assert.deepEqual(headings, [nameOf(known), nameOf(second), "I don’t know this one"]);
});

for (const kind of ["drop", "paste"]) {
  test(`photos can be added by ${kind}`, async (context) => {
    const page = await used.open(context);
    const content = readFileSync(fixture(known.file)).toString("base64");
    await page.evaluate(
      ([type, text]) => {
        const data = new DataTransfer();
        const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
        data.items.add(new File([bytes], "photo.jpg", { type: "image/jpeg" }));
        const event =
          type === "drop"
            ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
            : new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
        document.body.dispatchEvent(event);
      },
      [kind, content],
    );
    await page.locator("article.answered").waitFor();
    assert.equal(await page.locator("article h3").innerText(), nameOf(known));
  });
}

test("phones offer the camera, and desktops do not", async (context) => {
  const phone = await used.open(context, PIXEL_7);
  assert.ok(await phone.locator("label.camera").isVisible());
  assert.equal(await phone.locator("#take").getAttribute("capture"), "environment");
  assert.ok(!(await phone.locator(".drop-hint").isVisible()));
  const desktop = await used.open(context);
  assert.ok(!(await desktop.locator("label.camera").isVisible()));
  assert.ok(await desktop.locator(".drop-hint").isVisible());
});

for (const [file, hint] of [
  ["dark.jpg", "The photo is dark."],
  ["blurred.jpg", "The photo is blurred."],
  ["tiny.jpg", "The photo has very few pixels."],
  ["far.jpg", "The fruit is too far away."],
]) {
  test(`${file} gets a hint`, async (context) => {
    const page = await used.open(context);
    const card = await choose(page, file);
    const hints = await card.locator(".hint").allInnerTexts();
    assert.ok(hints.some((text) => text.startsWith(hint)), hints.join());
  });
}

test("a good photo gets no hint", async (context) => {
  const page = await used.open(context);
  const card = await choose(page, known.file);
  assert.equal(await card.locator(".hint").count(), 0);
});

for (const [file, text] of [
  ["text.txt", "This file is not a photo"],
  ["empty.jpg", "This file is not a photo"],
  ["photo.heic", "Your browser cannot show HEIC photos."],
  ["truncated.jpg", "This photo is damaged or incomplete."],
  ["garbage.jpg", "This photo is damaged or incomplete."],
]) {
  test(`${file} is refused with a reason`, async (context) => {
    const page = await used.open(context);
    const card = await choose(page, file);
    assert.ok((await card.locator("h3").innerText()).startsWith(text));
    assert.equal(await card.locator(".file").innerText(), file);
    const next = await choose(page, known.file);
    assert.equal(await next.locator("h3").innerText(), nameOf(known));
  });
}

test("a correction is downloaded in a folder with its name, which ingest reads as the label", async (context) => {
  const page = await used.open(context);
  const card = await choose(page, known.file);
  await card.getByText("Is it another one?").click();
  await card.getByLabel("Name of the fruit").fill("  dragon/fruit ");
  await card.getByRole("button", { name: "Keep photo and name" }).click();
  assert.equal(await page.locator(".kept").innerText(), "Thank you. Kept as “dragon fruit”.");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByText("Download 1 corrected photo").click()]);
  assert.equal(download.suggestedFilename(), "fruits.zip");
  const archive = unzipSync(readFileSync(await download.path()));
  const [path] = Object.keys(archive);
  assert.match(path, /^dragon fruit\/[0-9a-f]{12}-known-0\.jpg$/);
  assert.deepEqual(Buffer.from(archive[path]), readFileSync(fixture(known.file)));
  const program = [
    "import sys, yaml",
    "from fruits_pipeline.io.listing import compile_rules, parse_path",
    "rules = yaml.safe_load(open('conf/base/parameters_ingest.yml'))['ingest']['path_rules']",
    "print(parse_path(sys.argv[1], compile_rules(rules)).label)",
  ];
  assert.equal(python(["-c", program.join("\n"), path]).trim(), "dragon fruit");
});

test("the name of a known fruit becomes its label", async (context) => {
  const page = await used.open(context, { locale: "fr-FR" });
  const card = await choose(page, "unknown.jpg");
  await card.getByText("Est-ce un autre fruit ?").click();
  await card.getByLabel("Nom du fruit").fill("fruit de la passion");
  await card.getByRole("button", { name: "Garder la photo et le nom" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByText("Télécharger 1 photo corrigée").click(),
  ]);
  const [path] = Object.keys(unzipSync(readFileSync(await download.path())));
  assert.ok(path.startsWith("Passion Fruit/"));
});

test("a correction without a usable name is refused", async (context) => {
  const page = await used.open(context);
  const card = await choose(page, known.file);
  await card.getByText("Is it another one?").click();
  for (const name of ["", "  ", "../..", "Test"]) {
    await card.getByLabel("Name of the fruit").fill(name);
    await card.getByRole("button", { name: "Keep photo and name" }).click();
    assert.equal(await card.getByRole("alert").innerText(), "Write the name of the fruit.");
  }
  assert.ok(!(await page.locator("#download").isVisible()));
});

test("a removed photo is gone, with its correction", async (context) => {
  const page = await used.open(context);
  const card = await choose(page, known.file);
  await card.getByText("Is it another one?").click();
  await card.getByLabel("Name of the fruit").fill("Medlar");
  await card.getByRole("button", { name: "Keep photo and name" }).click();
  await page.getByRole("button", { name: "Remove this photo" }).click();
  assert.equal(await page.locator("article").count(), 0);
  assert.ok(!(await page.locator("#answers").isVisible()));
});

test("the page is French for French browsers, and English for languages that it does not have", async (context) => {
  const french = await used.open(context, { locale: "fr-CA" });
  assert.equal(await french.locator("h1").innerText(), "Quel est ce fruit ?");
  assert.equal(await french.locator("html").getAttribute("lang"), "fr");
  const card = await choose(french, "unknown.jpg");
  assert.equal(await card.locator("h3").innerText(), "Je ne connais pas ce fruit");
  const greek = await used.open(context, { locale: "el-GR" });
  assert.equal(await greek.locator("html").getAttribute("lang"), "en");
});

test("a chosen language is kept, and changes answers that are shown", async (context) => {
  const page = await used.open(context);
  await choose(page, "unknown.jpg");
  await page.getByLabel("Language").selectOption("fr");
  assert.equal(await page.locator("article h3").innerText(), "Je ne connais pas ce fruit");
  await page.reload();
  assert.equal(await page.locator("h1").innerText(), "Quel est ce fruit ?");
});

test("a model that cannot be loaded is reported", async (context) => {
  const browsing = await used.browser.newContext({ serviceWorkers: "block" });
  context.after(() => browsing.close());
  const page = await browsing.newPage();
  await page.route("**/*.tflite", (route) => route.abort());
  await page.goto(used.url);
  await page.locator("#engine.loadProblem").waitFor();
  const card = await choose(page, known.file);
  assert.ok((await card.locator("h3").innerText()).startsWith("This photo could not be examined."));
});

test("the page works without service worker and storage, but does not claim to work offline", async (context) => {
  const browsing = await used.browser.newContext({ locale: "en-GB" });
  context.after(() => browsing.close());
  const page = await browsing.newPage();
  await page.addInitScript(() => {
    delete Navigator.prototype.serviceWorker;
    Object.defineProperty(globalThis, "localStorage", { get: () => { throw new Error("not permitted"); } });
  });
  await page.goto(used.url);
  await page.locator("#engine.ready").waitFor();
  const card = await choose(page, known.file);
  assert.equal(await card.locator("h3").innerText(), nameOf(known));
  await page.getByLabel("Language").selectOption("fr");
  assert.equal(await page.locator("#engine").innerText(), "Prêt");
});

test("without script, the page has its text in English", async (context) => {
  const browsing = await used.browser.newContext({ javaScriptEnabled: false });
  context.after(() => browsing.close());
  const page = await browsing.newPage();
  await page.goto(used.url);
  assert.equal(await page.locator("h1").innerText(), "Which fruit is this?");
  assert.equal(await page.getByText("Choose photos").count(), 1);
});
