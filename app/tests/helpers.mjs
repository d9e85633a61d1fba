// The built page on a local server, in headless Chromium.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { after, before } from "node:test";
import { serve } from "../serve.mjs";
import { launch } from "./chromium.mjs";

export const APP = join(import.meta.dirname, "..");
export const PROJECT = join(APP, "..");
export const PAGE = join(APP, "build/app");
export const MODEL = join(PROJECT, "data/06_models/default/phone_model.tflite");
export const FIXTURES = join(APP, "build/fixtures");
export const fixtures = JSON.parse(readFileSync(join(FIXTURES, "fixtures.json"), "utf8"));
export const PIXEL_7 = { viewport: { width: 412, height: 839 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
const ENGINE = join(APP, "build/engine.mjs");
const SHARED = process.env.FRUITS_SHARED;
const WITHOUT_GPU = /GPU adapter|No available adapters|INFO: |npu_registry|^Failed to create default WebGPU/;

/** Start server and browser before the tests of a file, and end them afterwards. */
export function useBrowser() {
  const used = {};
  before(async () => {
    Object.assign(used, await serve(PAGE), { browser: await launch() });
  });
  after(async () => {
    await used.browser?.close();
    used.server?.close();
  });

  /** Open the page, and wait until the model is loaded. Problems of the page fail the test. */
  used.open = async (context, options = {}) => {
    const browsing = await used.browser.newContext({ locale: "en-GB", ...options });
    context.after(() => browsing.close());
    const page = await browsing.newPage();
    page.problems = [];
    page.on("pageerror", (error) => page.problems.push(error.message));
    page.on("console", (message) => {
      if (!WITHOUT_GPU.test(message.text())) page.problems.push(message.text());
    });
    await page.goto(used.url);
    await page.locator("#engine.readyOffline").waitFor();
    return page;
  };

  /** Load the engine into an empty page, as `engine`, with the function `photo` that reads a file. */
  used.openEngine = async (context) => {
    const page = await used.browser.newPage();
    context.after(() => page.close());
    const types = { contentType: "text/html", body: "<!doctype html><body></body>" };
    await page.route("**/empty.html", (route) => route.fulfill(types));
    await page.route("**/engine.mjs", (route) => route.fulfill({ path: ENGINE, contentType: "text/javascript" }));
    await page.route("**/photo?*", (route) => {
      const file = new URL(route.request().url()).searchParams.get("file");
      return route.fulfill({ body: readFileSync(file), contentType: "application/octet-stream" });
    });
    await page.goto(`${used.url}empty.html`);
    await page.evaluate(async ({ model, runtime }) => {
      globalThis.engine = await import("./engine.mjs");
      globalThis.photo = async (file) => (await fetch(`photo?file=${encodeURIComponent(file)}`)).blob();
      globalThis.loadModel = () => globalThis.engine.PhoneModel.load(runtime, model);
    }, builtFiles());
    return page;
  };
  return used;
}

export function fixture(name) {
  return join(FIXTURES, name);
}

/** Choose fixtures on the page, and return the card of the first one. */
export async function choose(page, ...names) {
  await page.setInputFiles("#choose", names.map(fixture));
  await page.locator("article.waiting").first().waitFor({ state: "detached" });
  return page.locator("article").first();
}

/** Return every n-th real photo, `count` of each set; nothing without FRUITS_SHARED. */
export function realPhotos(count) {
  if (!SHARED || !existsSync(SHARED)) return [];
  return ["grocery", "fruits-360"].flatMap((set) => {
    const folder = join(SHARED, set);
    const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".jpg")).sort();
    return Array.from({ length: count }, (_, i) => join(folder, files[Math.floor(((i + 0.5) * files.length) / count)]));
  });
}

export function shownPath(file) {
  return SHARED ? relative(SHARED, file) : file;
}

function builtFiles() {
  const names = readdirSync(PAGE);
  const runtime = names.find((name) => name.startsWith("litert-"));
  return { model: names.find((name) => name.endsWith(".tflite")), runtime: `${runtime}/litert_wasm_internal.js` };
}
