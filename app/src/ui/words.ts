import type { Language, Messages } from "../text/messages.ts";

/** Return a probability in words. */
export function certainty(probability: number, isKnown: boolean, { certainty: words }: Messages): string {
  if (!isKnown) return words.unsure;
  if (probability >= 0.98) return words.certain;
  if (probability >= 0.9) return words.veryLikely;
  if (probability >= 0.75) return words.likely;
  return words.probable;
}

/** Return a share as a percentage; 100 % only if nothing else is possible. */
export function percent(share: number, language: Language): string {
  const rounded = share < 1 ? Math.min(0.99, share) : 1;
  if (share > 0 && share < 0.005) return language === "fr" ? "< 1 %" : "< 1%";
  return new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 }).format(rounded);
}
