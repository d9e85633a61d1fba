// Take the pictures of the documentation: node pictures.mjs. The photos are rendered.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { serve } from "./serve.mjs";
import { launch } from "./tests/chromium.mjs";
import { python } from "./tests/python.mjs";

const ROOT = import.meta.dirname;
const BUILD = join(ROOT, "build/pictures");
const DOCS = join(ROOT, "../docs");
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
const SCREENS = [
  { name: "start", colorScheme: "light", locale: "en-GB" },
  { name: "answer", colorScheme: "light", locale: "en-GB", photo: true },
  { name: "facts", colorScheme: "dark", locale: "fr-FR", photo: true, scroll: 560 },
];

mkdirSync(BUILD, { recursive: true });
const photo = join(BUILD, "fruit.jpg");
if (!existsSync(photo)) python([join(ROOT, "render_photo.py"), photo]); // takes 20 s
const { server, url } = await serve(join(ROOT, "../dist/app"));
const browser = await launch();
for (const { name, photo: hasPhoto, scroll, ...options } of SCREENS) {
  const page = await (await browser.newContext({ ...PHONE, ...options, reducedMotion: "reduce" })).newPage();
  await page.goto(url);
  await page.locator("#engine.readyOffline").waitFor();
  if (hasPhoto) {
    await page.setInputFiles("#choose", photo);
    await page.locator("article.answered").waitFor();
    await page.waitForTimeout(300);
  }
  if (scroll) await page.evaluate((top) => scrollBy({ top, behavior: "instant" }), scroll);
  await page.screenshot({ path: join(BUILD, `${name}.png`) });
}
const frames = SCREENS.map(({ name }) => `<img src="file://${join(BUILD, `${name}.png`)}">`).join("");
const sheet = await browser.newPage({ viewport: { width: 1380, height: 960 } });
await sheet.goto(`file://${BUILD}/`);
await sheet.setContent(
  `<style>body{margin:0;display:flex;gap:40px;padding:40px 50px;background:#efe6d3;justify-content:center}
  img{width:380px;border:12px solid #1c1a17;border-radius:44px;box-shadow:0 18px 40px rgb(60 40 10/30%)}</style>${frames}`,
);
await sheet.waitForLoadState("networkidle");
await sheet.screenshot({ path: join(BUILD, "app.png") });
await browser.close();
server.close();
const shrink = "import sys; from PIL import Image; Image.open(sys.argv[1]).convert('RGB').quantize(192, dither=0).save(sys.argv[2], optimize=True)";
python(["-c", shrink, join(BUILD, "app.png"), join(DOCS, "app.png")]);
