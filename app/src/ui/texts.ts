/** The texts of the page outside of the cards. */
import { LANGUAGES, type Messages } from "../text/messages.ts";
import { byId, element } from "./dom.ts";
import type { Page } from "./page.ts";
import { percent } from "./words.ts";

export function showTexts(page: Page, threshold: number): void {
  const { language, messages, facts, labels } = page;
  document.documentElement.lang = language;
  for (const part of document.querySelectorAll<HTMLElement>("[data-text]")) {
    part.textContent = messages[part.dataset["text"] as keyof Messages] as string;
  }
  showLanguages(page);
  const fruits = facts.fruitNames(labels, language);
  byId("known-title").textContent = messages.known(fruits.length);
  byId("known").replaceChildren(...fruits.map((name) => element("li", {}, name)));
  byId("model").textContent = messages.model(labels.length, percent(threshold, language));
  const names = new Set(labels.map((label) => facts.labelName(label, language)));
  byId("label-names").replaceChildren(...[...names].map((name) => element("option", { value: name })));
}

function showLanguages({ language }: Page): void {
  const options = Object.entries(LANGUAGES).map(([code, { languageName }]) =>
    element("option", { value: code, lang: code, selected: code === language }, languageName),
  );
  byId("language").replaceChildren(...options);
}
