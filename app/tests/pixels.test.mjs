// The browser gives the model the same pixels as the pipeline.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { fixture, fixtures, useBrowser } from "./helpers.mjs";
import { python } from "./python.mjs";

const used = useBrowser();
const CONVERTED = 8; // levels: the pipeline converts colours after shrinking, and with another library
const HALVED = 5; // levels: photos of phones are halved by libjpeg in the pipeline
// Largest relative error. The pipeline halves photos as libjpeg does, which keeps more of the smallest details.
const QUALITY = { brightness: 0.02, contrast: 0.02, sharpness: 0.35 };

/** Return the square of a photo, and its quality. */
async function squareOf(page, name) {
  return page.evaluate(async (file) => {
    const { decode, canonicalise, fit, measure } = globalThis.engine;
    const photo = await decode(await globalThis.photo(file), 256);
    const canonical = canonicalise(photo, 256);
    return { square: [...fit(canonical, 128, "crop").data], quality: measure(canonical) };
  }, fixture(name));
}

function largestDifference(found, expected) {
  const pixels = Buffer.from(expected, "base64");
  assert.equal(found.length, pixels.length);
  return found.reduce((largest, value, i) => Math.max(largest, Math.abs(value - pixels[i])), 0);
}

test("photos of all kinds have the pixels of the pipeline", async (context) => {
  const page = await used.openEngine(context);
  for (const [name, { square, quality }] of Object.entries(fixtures.pixels)) {
    const found = await squareOf(page, name);
    const tolerance = name.startsWith("display-p3") || name.startsWith("transparent") ? CONVERTED : 0;
    const difference = largestDifference(found.square, square);
    assert.ok(difference <= tolerance, `${name}: ${difference} levels`);
    for (const [measure, share] of Object.entries(QUALITY)) {
      const error = Math.abs(found.quality[measure] - quality[measure]);
      assert.ok(error <= share * quality[measure], `${name}: ${measure} ${found.quality[measure]}, expected ${quality[measure]}`);
    }
  }
});

test("photos of 12 and 48 megapixels have nearly the pixels of the pipeline", async (context) => {
  const page = await used.openEngine(context);
  for (const [name, { square }] of Object.entries(fixtures.large)) {
    const difference = largestDifference((await squareOf(page, name)).square, square);
    context.diagnostic(`${name}: at most ${difference} levels`);
    assert.ok(difference <= HALVED, `${name}: ${difference} levels`);
  }
});

test("photos of 48 megapixels do not accumulate in memory", async (context) => {
  const page = await used.openEngine(context);
  const session = await used.browser.newBrowserCDPSession();
  const memory = async () => {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    const kilobytes = processInfo.map(({ id }) => /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1]);
    return kilobytes.reduce((sum, value) => sum + Number(value ?? 0), 0) / 1024;
  };
  await squareOf(page, "huge.jpg");
  const before = await memory();
  for (let i = 0; i < 5; i++) await squareOf(page, "huge.jpg");
  const after = await memory();
  context.diagnostic(`all processes of the browser: ${before.toFixed(0)} MiB after one photo, ${after.toFixed(0)} after six`);
  assert.ok(after - before < 400, `${before} MiB, then ${after}`);
});

test("filters equal those of Pillow and of the pipeline", async (context) => {
  const program = `
import base64, json, numpy as np
from PIL import Image
from fruits_pipeline.imaging.resizing import resize
photo = np.random.default_rng(0).integers(0, 256, (90, 131, 3), np.uint8)
text = lambda pixels: base64.b64encode(np.asarray(pixels).tobytes()).decode()
bicubic = Image.fromarray(photo).resize((60, 41), Image.Resampling.BICUBIC)
bilinear = resize(photo, 48, 48, (20.5, 0, 110.5, 90))
print(json.dumps([text(photo), text(bicubic), text(bilinear)]))`;
  const [photo, bicubic, bilinear] = JSON.parse(python(["-c", program]));
  const { BICUBIC, BILINEAR, resize } = await import("../build/engine.mjs");
  const pixels = { width: 131, height: 90, data: new Uint8ClampedArray(Buffer.from(photo, "base64")) };
  assert.equal(largestDifference([...resize(pixels, 60, 41, BICUBIC).data], bicubic), 0);
  const found = [...resize(pixels, 48, 48, BILINEAR, [20.5, 0, 110.5, 90]).data];
  assert.ok(largestDifference(found, bilinear) <= 1); // without cykooz_resizer, the pipeline rounds differently
  context.diagnostic(`bilinear: at most ${largestDifference(found, bilinear)} levels`);
});
