// Build the page and run the tests: node tests/run.mjs [test files]
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { python } from "./python.mjs";

const APP = join(import.meta.dirname, "..");
const BUILD = join(APP, "build");

execFileSync(process.execPath, ["build.mjs", "--out", join(BUILD, "app")], { cwd: APP, stdio: "inherit" });
buildSync({
  entryPoints: [join(APP, "tests/engine.ts")],
  outfile: join(BUILD, "engine.mjs"),
  bundle: true,
  format: "esm",
  external: ["module"],
  logLevel: "error",
});
const MODEL = join(APP, "../data/06_models/default/phone_model.tflite");
const SCRIPT = join(APP, "tests/fixtures.py");
const FIXTURES = join(BUILD, "fixtures");
if (!isNewer(join(FIXTURES, "fixtures.json"), MODEL, SCRIPT)) python([SCRIPT, MODEL, FIXTURES]); // takes 10 s
const all = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".test.mjs"));
const files = process.argv.length > 2 ? process.argv.slice(2) : all.map((name) => join("tests", name));
const { status } = spawnSync(process.execPath, ["--test", "--test-concurrency=1", ...files], { cwd: APP, stdio: "inherit" });
process.exit(status ?? 1);

function isNewer(file, ...sources) {
  return existsSync(file) && sources.every((source) => statSync(file).mtimeMs > statSync(source).mtimeMs);
}
