/** The form with which a user corrects the name of a fruit. */
import { toFolderName } from "../corrections.ts";
import { element } from "./dom.ts";
import type { Entry } from "./entry.ts";
import type { Page } from "./page.ts";

/** Keep a photo with the label that a user has given. */
export type Correct = (id: number, label: string) => void;

export function correctionForm(entry: Entry, page: Page, correct: Correct): HTMLElement {
  const { messages } = page;
  if (entry.correction !== undefined) {
    const name = page.facts.labelName(entry.correction, page.language);
    return element("p", { class: "kept" }, messages.kept(name));
  }
  const ids = { input: `name-${entry.id}`, help: `help-${entry.id}`, error: `error-${entry.id}` };
  const input = element("input", {
    id: ids.input,
    list: "label-names",
    autocomplete: "off",
    autocapitalize: "sentences",
    maxlength: 80,
    "aria-describedby": `${ids.help} ${ids.error}`,
  });
  const error = element("p", { id: ids.error, class: "error", role: "alert" });
  const form = element(
    "form",
    {},
    element("label", { for: ids.input }, messages.correctName),
    element("div", { class: "field" }, input, element("button", { type: "submit" }, messages.keep)),
    error,
    element("p", { id: ids.help, class: "help" }, messages.correctHelp),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const label = toFolderName(labelOf(input.value, page));
    error.textContent = label ? "" : messages.nameNeeded;
    input.setAttribute("aria-invalid", String(!label));
    if (label) correct(entry.id, label);
    else input.focus();
  });
  return element("details", { class: "correction" }, element("summary", {}, messages.another), form);
}

/** Return the label with a name, in any case; the name itself if there is none. */
function labelOf(name: string, { facts, labels, language }: Page): string {
  const wanted = name.trim().toLocaleLowerCase(language);
  const names = (label: string) => [facts.labelName(label, language), label];
  const found = labels.find((label) => names(label).some((n) => n.toLocaleLowerCase(language) === wanted));
  return found ?? name;
}
