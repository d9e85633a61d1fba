/** The card of a photo: the answer, and what follows from it. */
import type { Candidate, Recognition } from "../engine/recognise.ts";
import { correctionForm, type Correct } from "./correction_form.ts";
import { append, element, icon } from "./dom.ts";
import type { Entry } from "./entry.ts";
import { factSection } from "./fact_section.ts";
import type { Page } from "./page.ts";
import { certainty, percent } from "./words.ts";

const NEXT = 4; // candidates after the first one

export interface CardActions {
  readonly correct: Correct;
  readonly remove: (id: number) => void;
}

export function card(entry: Entry, page: Page, actions: CardActions): HTMLElement {
  const { state } = entry;
  const result = element("article", { class: `card ${state.kind}`, id: `photo-${entry.id}`, "aria-busy": state.kind === "waiting" });
  if (state.kind === "answered") {
    append(result, picture(state.recognition, entry, page), ...answer(state.recognition, entry, page, actions));
  } else {
    const text = state.kind === "waiting" ? page.messages.waiting : page.messages.problems[state.problem];
    append(result, message(text, entry.file.name, state.kind));
  }
  if (state.kind !== "waiting") append(result, removeButton(entry.id, page, actions));
  return result;
}

function message(text: string, fileName: string, kind: string): HTMLElement {
  return element(
    "div",
    { class: "message" },
    icon(kind === "waiting" ? "search" : "warning"),
    element("div", {}, element("h3", { tabindex: -1 }, text), element("p", { class: "file" }, fileName)),
  );
}

function removeButton(id: number, { messages }: Page, { remove }: CardActions): HTMLElement {
  const button = element("button", { class: "remove", type: "button", "aria-label": messages.remove, title: messages.remove }, icon("close"));
  button.addEventListener("click", () => remove(id));
  return button;
}

/** Return the photo. A card that is drawn again reuses its canvas. */
function picture({ photo }: Recognition, { file }: Entry, { messages }: Page): HTMLElement {
  photo.canvas.setAttribute("role", "img");
  photo.canvas.setAttribute("aria-label", messages.photoOf(file.name));
  return element("div", { class: "picture" }, photo.canvas);
}

function answer(recognition: Recognition, entry: Entry, page: Page, actions: CardActions): HTMLElement[] {
  const [first] = recognition.candidates;
  const { facts, language } = page;
  const fruit = recognition.isKnown ? facts.fruitOf(first!.label) : undefined;
  const parts = [
    heading(recognition, page),
    hints(recognition, page),
    candidates(recognition, page),
    recognition.isKnown ? factSection(fruit, facts.nameOf(first!.label, language), page) : null,
    correctionForm(entry, page, actions.correct),
  ];
  return [element("div", { class: "answer" }, ...parts)];
}

/** Return the answer in a line, as it is shown and announced. */
export function summary({ candidates: [first], isKnown }: Recognition, { facts, language, messages }: Page): string {
  return isKnown ? facts.nameOf(first!.label, language) : messages.unknown;
}

function heading(recognition: Recognition, page: Page): HTMLElement {
  const { isKnown } = recognition;
  const { facts, language, messages } = page;
  const [first] = facts.merge(recognition.candidates, language);
  const name = facts.labelName(first!.label, language);
  const words = certainty(first!.probability, isKnown, messages);
  const isVariety = isKnown && name !== facts.nameOf(first!.label, language);
  return element(
    "header",
    { class: isKnown ? "known" : "unknown" },
    element("h3", { tabindex: -1 }, summary(recognition, page)),
    element(
      "p",
      { class: "certainty" },
      element("span", { class: "badge" }, words),
      isKnown && element("span", { class: "share" }, percent(first!.probability, language)),
    ),
    isVariety && element("p", { class: "variety" }, messages.variety(name)),
    !isKnown && element("p", {}, messages.unknownHelp),
  );
}

function hints({ hints: found }: Recognition, { messages }: Page): HTMLElement | null {
  if (!found.length) return null;
  const items = found.map((hint) => element("li", { class: `hint ${hint}` }, icon("bulb"), messages.hints[hint]));
  return element("ul", { class: "hints" }, ...items);
}

function candidates(recognition: Recognition, page: Page): HTMLElement {
  const { messages } = page;
  const merged = page.facts.merge(recognition.candidates, page.language);
  const shown = recognition.isKnown ? merged.slice(1, 1 + NEXT) : merged.slice(0, 1 + NEXT);
  return element(
    "section",
    { class: "candidates" },
    element("h4", {}, recognition.isKnown ? messages.others : messages.closest),
    element("ul", { class: "bars" }, ...shown.map((candidate) => bar(candidate, page))),
  );
}

function bar({ label, probability }: Candidate, { facts, language }: Page): HTMLElement {
  const fill = element("span", { class: "fill" });
  fill.style.setProperty("--share", probability.toFixed(4));
  return element(
    "li",
    {},
    element("span", { class: "name" }, facts.labelName(label, language)),
    element("span", { class: "track", "aria-hidden": "true" }, fill),
    element("span", { class: "share" }, percent(probability, language)),
  );
}
