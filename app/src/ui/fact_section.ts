/** What is known about a fruit. */
import type { Fruit } from "../facts.ts";
import { append, element } from "./dom.ts";
import type { Page } from "./page.ts";

const YEAR = 2024; // any: only the months of its dates are shown

export function factSection(fruit: Fruit | undefined, name: string, page: Page): HTMLElement {
  const { messages, language } = page;
  const section = element("section", { class: "facts" }, element("h4", {}, messages.about(name)));
  if (!fruit) {
    append(section, element("p", {}, messages.noFacts));
    return section;
  }
  append(
    section,
    element(
      "dl",
      {},
      ...row(messages.facts.species, element("i", { lang: "la" }, fruit.species)),
      ...row(messages.facts.family, fruit.family[language]),
      ...row(messages.facts.origin, fruit.origin[language]),
      ...row(messages.facts.season, fruit.season[language], monthStrip(fruit, page)),
      ...row(messages.facts.storage, fruit.storage[language]),
    ),
    element(
      "div",
      { class: "diversity" },
      element("h5", {}, messages.cultivars),
      element("p", { class: "number" }, fruit.cultivars[language]),
      element("p", {}, fruit.diversity[language]),
    ),
    sources(fruit, page),
  );
  return section;
}

function row(term: string, ...details: (Node | string | null)[]): HTMLElement[] {
  return [element("dt", {}, term), element("dd", {}, ...details)];
}

/** Return the months of a year, with those of the season marked. The text beside it says the same. */
function monthStrip(fruit: Fruit, { language }: Page): HTMLElement | null {
  if (!fruit.months.length) return null;
  const format = new Intl.DateTimeFormat(language, { month: "narrow" });
  const now = new Date().getMonth() + 1;
  const months = Array.from({ length: 12 }, (_, i) => {
    const classes = [fruit.months.includes(i + 1) ? "ripe" : "", i + 1 === now ? "now" : ""];
    return element("span", { class: classes.join(" ").trim() }, format.format(new Date(YEAR, i, 15)));
  });
  return element("span", { class: "months", "aria-hidden": "true" }, ...months);
}

function sources(fruit: Fruit, { facts, language, messages }: Page): HTMLElement {
  const items = facts.sourcesOf(fruit, language).map(({ title, url, verified }) =>
    element(
      "li",
      {},
      element("a", { href: url, rel: "noreferrer noopener", target: "_blank" }, title),
      !verified && ` (${messages.unverified})`,
    ),
  );
  return element("details", { class: "sources" }, element("summary", {}, messages.sources), element("ul", {}, ...items));
}
