// Debian's Chromium, or another one in CHROMIUM.
import { chromium } from "playwright-core";

export const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";

export function launch(options = {}) {
  return chromium.launch({ executablePath: EXECUTABLE, args: ["--no-sandbox"], ...options });
}
