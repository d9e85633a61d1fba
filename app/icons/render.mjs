// Render the icons in PNG from icon.svg: node icons/render.mjs
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { launch } from "../tests/chromium.mjs";

const FOLDER = import.meta.dirname;
const MASKABLE = 0.8; // share of a maskable icon that is always visible
const icon = readFileSync(join(FOLDER, "icon.svg"), "utf8");
const browser = await launch();
for (const [name, size, share] of [["icon-192", 192, 1], ["icon-512", 512, 1], ["icon-maskable-512", 512, MASKABLE]]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  const background = share < 1 ? "#fff4df" : "transparent";
  await page.setContent(`<style>body{margin:0;background:${background};display:grid;place-items:center;height:100vh}svg{width:${share * 100}vw}</style>${icon}`);
  await page.screenshot({ path: join(FOLDER, `${name}.png`), omitBackground: true });
}
await browser.close();
