// The facts about fruits, from facts/*.yml.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

const FOLDER = join(import.meta.dirname, "facts");
const SOURCES = "sources.yml";

export function readFacts() {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".yml") && name !== SOURCES);
  return { fruits: files.sort().map(read), sources: read(SOURCES) };
}

function read(name) {
  return parse(readFileSync(join(FOLDER, name), "utf8"));
}
