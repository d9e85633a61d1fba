// The facts are complete, and have sources.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { readFacts } from "../facts.mjs";
import { describe as readModel, Facts, FACTS, LANGUAGES } from "../build/engine.mjs";
import { MODEL } from "./helpers.mjs";

const table = readFacts();
const { labels } = readModel(readFileSync(MODEL));
const languages = Object.keys(LANGUAGES);

test("every label of the shipped model has facts, once", () => {
  const found = table.fruits.flatMap((fruit) => Object.keys(fruit.labels)).sort();
  assert.deepEqual(found, [...labels].sort());
});

for (const fruit of table.fruits) {
  test(`facts about ${fruit.name.en} are complete`, () => {
    const names = [fruit.name, ...Object.values(fruit.labels).filter(Boolean)];
    for (const text of [...names, ...FACTS.map((fact) => fruit[fact])]) {
      for (const language of languages) assert.ok(text[language]?.trim(), `${language}: ${JSON.stringify(text)}`);
    }
    assert.deepEqual(Object.keys(fruit).sort(), ["name", "labels", "species", "months", ...FACTS].sort());
    assert.match(fruit.species, /^[A-Z][a-z]+ (× )?[a-z]+/);
    assert.equal(new Set(fruit.months).size, fruit.months.length);
    assert.ok(fruit.months.every((month) => month >= 1 && month <= 12));
    for (const fact of FACTS) {
      const { sources } = fruit[fact];
      assert.ok(new Set(sources).size >= 2, `${fact} needs a second source`);
      for (const source of sources) assert.ok(table.sources[source], source);
    }
  });
}

test("sources have titles and addresses, and are used", () => {
  const used = new Set(table.fruits.flatMap((fruit) => FACTS.flatMap((fact) => fruit[fact].sources)));
  for (const [name, { title, url, verified, ...others }] of Object.entries(table.sources)) {
    assert.ok(used.has(name), `${name} is not used`);
    assert.ok(title && URL.canParse(url) && /^https?:/.test(url), name);
    assert.equal(typeof verified, "boolean", name);
    assert.deepEqual(others, {});
  }
});

test("names of labels differ between fruits", () => {
  const facts = new Facts(table);
  for (const language of languages) {
    const fruits = table.fruits.map((fruit) => fruit.name[language]);
    assert.equal(new Set(fruits).size, fruits.length);
    const owners = new Map();
    for (const label of labels) {
      const name = facts.labelName(label, language);
      assert.equal(owners.get(name) ?? facts.fruitOf(label), facts.fruitOf(label), name);
      owners.set(name, facts.fruitOf(label));
    }
  }
});
