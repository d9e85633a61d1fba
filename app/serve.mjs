// Serve the page on this machine: node serve.mjs <folder> [port]
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { pathToFileURL } from "node:url";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".tflite": "application/octet-stream",
};

/** Start a server on 127.0.0.1. Port 0 is any free port. */
export function serve(folder, port = 0) {
  const server = createServer((request, response) => {
    const file = find(folder, request.url);
    if (!file) return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "cache-control": "no-cache" });
    createReadStream(file).pipe(response);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve({ server, url: `http://127.0.0.1:${server.address().port}/` }));
  });
}

/** Return the file at an address below a folder; null if there is none. */
function find(folder, address) {
  let path;
  try {
    path = decodeURIComponent(new URL(address, "http://127.0.0.1").pathname);
  } catch {
    return null;
  }
  const file = normalize(join(folder, path.endsWith("/") ? `${path}index.html` : path));
  const isInside = file.startsWith(normalize(folder) + sep);
  return isInside && existsSync(file) && statSync(file).isFile() ? file : null;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder = join(import.meta.dirname, "../dist/app"), port = "8360"] = process.argv.slice(2);
  if (!existsSync(join(folder, "index.html"))) {
    console.error(`Found no page in ${folder}; expected index.html. Create it with make app.`);
    process.exit(1);
  }
  const { url } = await serve(folder, Number(port));
  console.log(`The app is on ${url}. Ctrl-C ends it.`);
}
