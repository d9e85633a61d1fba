// The licences of what the page contains.
import { readFileSync } from "node:fs";
import { join } from "node:path";

export function licences() {
  const read = (name) => readFileSync(join(import.meta.dirname, name), "utf8").trim();
  return [
    `fruits-pipeline\n\n${read("../LICENSE")}`,
    `fflate\n\n${read("node_modules/fflate/LICENSE")}`,
    "LiteRT.js (@litertjs/core, @litertjs/wasm-utils)\n\nCopyright The Google AI Edge Authors. Licensed under the Apache License, Version 2.0:\nhttps://www.apache.org/licenses/LICENSE-2.0",
    "The model was trained on photos of Fruits-360 (Mihai Oltean, Horea Muresan) and of the Grocery Store Dataset\n(Marcus Klasson), both under the MIT licence.",
  ].join(`\n\n${"-".repeat(72)}\n\n`) + "\n";
}
