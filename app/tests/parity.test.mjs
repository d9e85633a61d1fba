// The page and `make predict` answer the same.
import assert from "node:assert/strict";
import test from "node:test";
import { fixture, fixtures, MODEL, realPhotos, shownPath, useBrowser } from "./helpers.mjs";
import { python } from "./python.mjs";

const PHOTOS_PER_SET = 116;
const CLOSE = 0.005; // difference of probabilities: the sums of LiteRT depend on the processor
const used = useBrowser();
const photos = realPhotos(PHOTOS_PER_SET);
const skip = photos.length ? false : "needs the photos of FRUITS_SHARED";

function predict(files) {
  return JSON.parse(python(["-m", "fruits_pipeline.predict", "--model", MODEL, "--json", ...files]));
}

async function recogniseAll(page, files) {
  return page.evaluate(async (names) => {
    const { recognise } = globalThis.engine;
    const model = await globalThis.loadModel();
    const limits = { dark: 0, blurred: 0, tiny: 0 };
    const found = [];
    for (const name of names) {
      const { candidates, isKnown, milliseconds } = await recognise(await globalThis.photo(name), model, limits);
      found.push({ candidates, isKnown, milliseconds });
    }
    return found;
  }, files);
}

/** Compare answers and the probabilities of the five labels that `predict` prints. */
function compare(files, expected, found) {
  const others = [];
  const differences = [];
  for (const [i, { answer, is_known, labels }] of expected.entries()) {
    const { candidates, isKnown } = found[i];
    const own = isKnown ? candidates[0].label : "unknown";
    if (own !== answer || isKnown !== is_known) others.push(`${shownPath(files[i])}: ${answer}, here ${own}`);
    for (const { label, probability } of labels) {
      differences.push(Math.abs(probability - candidates.find((candidate) => candidate.label === label).probability));
      if (differences.at(-1) > CLOSE) console.log(shownPath(files[i]), label, differences.at(-1));
    }
  }
  differences.sort((a, b) => a - b);
  return { others, differences };
}

function describe({ others, differences }, times) {
  const at = (share) => differences[Math.min(differences.length - 1, Math.floor(share * differences.length))].toFixed(4);
  const within = (limit) => ((100 * differences.filter((d) => d <= limit).length) / differences.length).toFixed(1);
  const sorted = [...times].sort((a, b) => a - b);
  return [
    `other answers: ${others.length}`,
    `differences of ${differences.length} probabilities: median ${at(0.5)}, 95 % ${at(0.95)}, largest ${at(1)}`,
    `within 0.01: ${within(0.01)} %, within 0.02: ${within(0.02)} %`,
    `ms from the decoded photo to the answer: median ${sorted[sorted.length >> 1].toFixed(0)}, largest ${sorted.at(-1).toFixed(0)}`,
  ];
}

test("real photos get the answers of make predict", { skip }, async (context) => {
  assert.ok(photos.length >= 200);
  const page = await used.openEngine(context);
  const found = await recogniseAll(page, photos);
  const compared = compare(photos, predict(photos), found);
  for (const line of describe(compared, found.map(({ milliseconds }) => milliseconds))) context.diagnostic(line);
  assert.deepEqual(compared.others, []);
  assert.ok(compared.differences.at(-1) <= CLOSE);
});

test("rendered photos get the answers of make predict", async (context) => {
  const names = [...fixtures.known.map(({ file }) => file), ...Object.keys(fixtures.pixels), "unknown.jpg", "far.jpg"];
  const files = names.map(fixture);
  const page = await used.openEngine(context);
  const compared = compare(files, predict(files), await recogniseAll(page, files));
  assert.deepEqual(compared.others, []);
  for (const line of describe(compared, [0])) context.diagnostic(line);
  assert.ok(compared.differences.at(-1) <= 0.02); // browsers convert colour profiles with another library
});
