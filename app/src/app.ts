/** The page: photos come in, cards with answers go out. */
import type { Config } from "./config.ts";
import { archive } from "./corrections.ts";
import type { PhoneModel } from "./engine/phone_model.ts";
import { PhotoError } from "./engine/photo.ts";
import { recognise } from "./engine/recognise.ts";
import { Facts } from "./facts.ts";
import { LANGUAGES, preferredLanguage, storedLanguage, storeLanguage, type Language } from "./text/messages.ts";
import { card, summary, type CardActions } from "./ui/card.ts";
import { byId, element } from "./ui/dom.ts";
import type { Entry } from "./ui/entry.ts";
import { listenForPhotos } from "./ui/inputs.ts";
import type { Page } from "./ui/page.ts";
import { showTexts } from "./ui/texts.ts";

export class App {
  private page: Page;
  private entries: Entry[] = [];
  private queue: Promise<void> = Promise.resolve();
  private lastId = 0;
  private engine: "loading" | "ready" | "readyOffline" | "loadProblem" = "loading";
  private readonly actions: CardActions = {
    correct: (id, label) => this.correct(id, label),
    remove: (id) => this.remove(id),
  };

  constructor(
    private readonly config: Config,
    private readonly model: Promise<PhoneModel>,
  ) {
    this.page = this.pageIn(storedLanguage() ?? preferredLanguage(navigator.languages));
  }

  /**
   * Show the page, and accept photos.
   *
   * @param offline Settles when the page works offline.
   */
  async start(offline: Promise<void>): Promise<void> {
    this.show();
    listenForPhotos((files) => this.add(files));
    const choice = byId<HTMLSelectElement>("language");
    choice.addEventListener("change", () => this.changeLanguage(choice.value as Language));
    byId("download").querySelector("button")!.addEventListener("click", () => void this.download());
    await this.model.then(
      () => this.showEngine("ready"),
      () => this.showEngine("loadProblem"),
    );
    await Promise.all([this.model, offline]).then(
      () => this.showEngine("readyOffline"),
      () => {}, // without a service worker, the page works only online
    );
  }

  private pageIn(language: Language): Page {
    const { labels, facts } = this.config;
    return { language, labels, messages: LANGUAGES[language], facts: new Facts(facts) };
  }

  private changeLanguage(language: Language): void {
    storeLanguage(language);
    this.page = this.pageIn(language);
    this.show();
  }

  private show(): void {
    showTexts(this.page, this.config.threshold);
    this.showEngine(this.engine);
    byId("cards").replaceChildren(...this.entries.map((entry) => card(entry, this.page, this.actions)));
    this.showDownload();
  }

  private showEngine(engine: App["engine"]): void {
    this.engine = engine;
    byId("engine").className = engine;
    byId("engine").textContent = this.page.messages[engine];
  }

  /** Add photos; they are examined one after the other, so that memory is needed for one. */
  private add(files: readonly File[]): void {
    const added = files.map((file): Entry => ({ id: ++this.lastId, file, state: { kind: "waiting" } }));
    this.entries = [...added, ...this.entries];
    byId("cards").prepend(...added.map((entry) => card(entry, this.page, this.actions)));
    this.showAnswers();
    for (const [i, entry] of added.entries()) {
      this.queue = this.queue.then(() => this.examine(entry, i === 0));
    }
  }

  private async examine(entry: Entry, isFirst: boolean): Promise<void> {
    const state = await this.stateOf(entry.file);
    this.replace({ ...entry, state });
    const text = state.kind === "answered" ? summary(state.recognition, this.page) : "";
    byId("announcer").textContent = text;
    if (isFirst) this.focus(entry.id);
  }

  private async stateOf(file: File): Promise<Entry["state"]> {
    try {
      const recognition = await recognise(file, await this.model, this.config.limits);
      return { kind: "answered", recognition };
    } catch (error) {
      return { kind: "problem", problem: error instanceof PhotoError ? error.problem : "failed" };
    }
  }

  private replace(entry: Entry): void {
    if (!this.entries.some(({ id }) => id === entry.id)) return; // removed meanwhile
    this.entries = this.entries.map((other) => (other.id === entry.id ? entry : other));
    byId(`photo-${entry.id}`).replaceWith(card(entry, this.page, this.actions));
  }

  private focus(id: number): void {
    const heading = document.querySelector<HTMLElement>(`#photo-${id} h3`);
    heading?.focus({ preventScroll: true });
    document.querySelector(`#photo-${id}`)?.scrollIntoView({ block: "start", behavior: scrolling() });
  }

  private correct(id: number, label: string): void {
    const entry = this.entries.find((other) => other.id === id);
    if (!entry) return;
    this.replace({ ...entry, correction: label });
    byId("announcer").textContent = this.page.messages.kept(this.page.facts.labelName(label, this.page.language));
    this.showDownload();
    byId("download").querySelector("button")!.focus({ preventScroll: true });
  }

  private remove(id: number): void {
    this.entries = this.entries.filter((entry) => entry.id !== id);
    byId(`photo-${id}`).remove();
    this.showAnswers();
    this.showDownload();
    byId(this.entries.length ? "answers-title" : "choose").focus();
  }

  private showAnswers(): void {
    byId("answers").hidden = !this.entries.length;
    document.body.classList.toggle("has-answers", this.entries.length > 0);
  }

  private get corrections(): { label: string; file: File }[] {
    return this.entries.flatMap(({ correction, file }) => (correction === undefined ? [] : [{ label: correction, file }]));
  }

  private showDownload(): void {
    const { length } = this.corrections;
    byId("download").hidden = !length;
    byId("download").querySelector("button")!.textContent = this.page.messages.download(length);
  }

  private async download(): Promise<void> {
    const address = URL.createObjectURL(await archive(this.corrections));
    element("a", { href: address, download: "fruits.zip" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000); // the browser has read it by then
  }
}


function scrolling(): ScrollBehavior {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
}
