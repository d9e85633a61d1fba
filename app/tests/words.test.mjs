// Texts, names of folders, and kinds of files.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { certainty, Facts, isComplete, kindOf, LANGUAGES, percent, preferredLanguage, toFolderName } from "../build/engine.mjs";
import { fixture } from "./helpers.mjs";

test("probabilities become words", () => {
  const words = (probability, isKnown = true) => certainty(probability, isKnown, LANGUAGES.en);
  assert.deepEqual([0.99, 0.95, 0.8, 0.7].map((p) => words(p)), ["Almost certain", "Very likely", "Likely", "Probably"]);
  assert.equal(words(0.6, false), "Not sure enough");
});

test("percentages promise no certainty", () => {
  assert.equal(percent(0.9996, "en"), "99%");
  assert.equal(percent(0.001, "en"), "< 1%");
  assert.equal(percent(0.5, "fr").replace(/\s/u, " "), "50 %");
});

test("the first language that the page has is used", () => {
  assert.equal(preferredLanguage(["de-CH", "fr-CH", "en"]), "fr");
  assert.equal(preferredLanguage(["ja"]), "en");
});

test("names become names of folders", () => {
  const names = { "Passion fruit": "Passion fruit", " a/b\\c:d ": "a b c d", "..": "", ".hidden": "hidden", "Test": "", "VAL": "", "Testa": "Testa" };
  for (const [name, folder] of Object.entries(names)) assert.equal(toFolderName(name), folder);
});

test("labels with one name become one candidate", () => {
  const text = (name) => ({ en: name, fr: name });
  const facts = new Facts({ fruits: [{ name: text("A"), labels: { "A 1": null, "A-1": null } }], sources: {} });
  const candidates = [["B", 0.4], ["A 1", 0.35], ["A-1", 0.25]].map(([label, probability]) => ({ label, probability }));
  assert.deepEqual(facts.merge(candidates, "en").map(({ label }) => label), ["A 1", "B"]);
});

test("files are recognised by their first bytes, and cut JPEGs by their end", () => {
  const kinds = { "wide.jpg": "jpeg", "photo.heic": "heic", "opaque.png": "photo", "lossless.webp": "photo", "text.txt": "other" };
  for (const [name, kind] of Object.entries(kinds)) assert.equal(kindOf(readFileSync(fixture(name))), kind);
  for (const name of ["wide.jpg", "progressive.jpg", "oriented-6.jpg", "display-p3.jpg"]) assert.ok(isComplete(readFileSync(fixture(name))));
  assert.ok(!isComplete(readFileSync(fixture("truncated.jpg"))));
});
