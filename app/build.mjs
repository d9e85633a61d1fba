// Build the page: node build.mjs --model <phone model> --out <folder>
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { strFromU8, unzipSync } from "fflate";
import { parse } from "yaml";
import { readFacts } from "./facts.mjs";
import { licences } from "./licences.mjs";
import { POLICY } from "./policy.mjs";

const ROOT = import.meta.dirname;
const LITERT = join(ROOT, "node_modules/@litertjs/core");
const VARIANTS = ["litert_wasm_internal", "litert_wasm_compat_internal"];
const ICONS = ["icon.svg", "icon-192.png", "icon-512.png", "icon-maskable-512.png"];

const { values } = parseArgs({
  options: {
    model: { type: "string", default: join(ROOT, "../data/06_models/default/phone_model.tflite") },
    out: { type: "string", default: join(ROOT, "../dist/app") },
  },
});
const out = values.out;

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, "icons"), { recursive: true });

const content = readFileSync(values.model);
const model = writeHashed("phone_model.tflite", content);
const runtime = copyRuntime();
const config = { model, runtime, ...describe(content), limits: readLimits(), facts: readFacts() };
warnOfMissingFacts(config);

for (const name of ICONS) cpSync(join(ROOT, "icons", name), join(out, "icons", name));
write("licences.txt", licences());
write("manifest.webmanifest", readFileSync(join(ROOT, "src/manifest.webmanifest")));
const english = await readTexts("en");
const [script, style] = await bundlePage(config);
write("index.html", page({ script, style }));
const files = ["./", script, style, model, "manifest.webmanifest", "licences.txt", ...ICONS.map((name) => `icons/${name}`)];
await bundleWorker(files);
report([...files.slice(1), "index.html", "sw.js", `${runtime}/${VARIANTS[0]}.js`, `${runtime}/${VARIANTS[0]}.wasm`]);

function write(name, text) {
  writeFileSync(join(out, name), text);
}

/** Write a file whose name contains a hash of its content, so that it can be cached for ever. */
function writeHashed(name, data) {
  const hashed = name.replace(/(\.\w+)$/, `-${digest(data)}$1`);
  write(hashed, data);
  return hashed;
}

function digest(data) {
  return createHash("sha256").update(data).digest("hex").slice(0, 12);
}

/** Copy LiteRT to a folder that is named after its version, because its script names its WebAssembly. */
function copyRuntime() {
  const { version } = JSON.parse(readFileSync(join(LITERT, "package.json"), "utf8"));
  const folder = `litert-${version}`;
  mkdirSync(join(out, folder));
  for (const name of VARIANTS.flatMap((variant) => [`${variant}.js`, `${variant}.wasm`])) {
    cpSync(join(LITERT, "wasm", name), join(out, folder, name));
  }
  return folder;
}

function describe(data) {
  const archive = unzipSync(data);
  if (!archive["labels.txt"] || !archive["card.json"]) {
    throw new Error(`Found no labels.txt or no card.json in ${values.model}; expected a phone model of make classify.`);
  }
  const { threshold, labels } = JSON.parse(strFromU8(archive["card.json"]));
  return { threshold, labels: labels ?? strFromU8(archive["labels.txt"]).replace(/\n$/, "").split("\n") };
}

/** Return the limits of the report, so that the page gives its hints for the same photos. */
function readLimits() {
  const file = join(ROOT, "../conf/base/parameters_report.yml");
  const { dark, blurred, tiny } = parse(readFileSync(file, "utf8")).report.quality;
  return { dark, blurred, tiny };
}

function warnOfMissingFacts({ labels, facts }) {
  const known = new Set(facts.fruits.flatMap((fruit) => Object.keys(fruit.labels)));
  const missing = labels.filter((label) => !known.has(label));
  if (missing.length) console.warn(`No facts about ${missing.join(", ")}: add them to app/facts.`);
}

async function bundlePage(config) {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, "src/main.ts"), join(ROOT, "src/style.css")],
    outdir: out,
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022"],
    external: ["module"],
    legalComments: "none",
    write: false,
    plugins: [virtual("app:config", config)],
  });
  return outputFiles.map(({ path, contents }) => writeHashed(basename(path), contents));
}

async function bundleWorker(files) {
  const version = digest(Buffer.from(files.join() + page({ script, style }) + runtime));
  await build({
    entryPoints: [join(ROOT, "src/sw.ts")],
    outdir: out,
    bundle: true,
    minify: true,
    target: ["es2022"],
    plugins: [virtual("app:precache", { version, files })],
  });
}

async function readTexts(language) {
  const entry = join(ROOT, `src/text/${language}.ts`);
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "esm", write: false });
  const module = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
  return module[language];
}

/** Return a plugin that makes a value importable. */
function virtual(name, value) {
  return {
    name,
    setup({ onResolve, onLoad }) {
      onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: name, namespace: "virtual" }));
      onLoad({ filter: /.*/, namespace: "virtual" }, () => ({ contents: JSON.stringify(value), loader: "json" }));
    },
  };
}

/** Return the page, in English until its script runs. */
function page({ script, style }) {
  const symbols = readFileSync(join(ROOT, "src/symbols.svg"), "utf8").trim();
  const parts = { script, style, symbols, policy: POLICY };
  return readFileSync(join(ROOT, "src/index.html"), "utf8")
    .replace(/\{\{(\w+)\}\}/g, (_, name) => parts[name])
    .replace(/data-text="(\w+)">/g, (tag, name) => tag + english[name]);
}

function report(names) {
  const contents = names.map((name) => readFileSync(join(out, name)));
  const megabytes = (sizes) => (sizes.reduce((sum, size) => sum + size, 0) / 1e6).toFixed(1);
  const [plain, packed] = [contents.map((c) => c.length), contents.map((c) => gzipSync(c).length)].map(megabytes);
  console.log(`Wrote ${out}: a browser loads ${plain} MB, ${packed} MB with gzip.`);
}
