/** The texts of the page in a language. To add a language, write a file like `en.ts` and list it below. */
import { en } from "./en.ts";
import { fr } from "./fr.ts";

export interface Messages {
  readonly languageName: string;
  readonly title: string;
  readonly tagline: string;
  readonly privacy: string;
  readonly take: string;
  readonly choose: string;
  readonly dropHint: string;
  readonly dropHere: string;
  readonly language: string;
  readonly loading: string;
  readonly ready: string;
  readonly readyOffline: string;
  readonly loadProblem: string;
  readonly results: string;
  readonly waiting: string;
  readonly photoOf: (name: string) => string;
  readonly unknown: string;
  readonly unknownHelp: string;
  readonly closest: string;
  readonly others: string;
  readonly variety: (name: string) => string;
  readonly certainty: {
    readonly certain: string;
    readonly veryLikely: string;
    readonly likely: string;
    readonly probable: string;
    readonly unsure: string;
  };
  readonly hints: Readonly<Record<"dark" | "blurred" | "tiny" | "far", string>>;
  readonly problems: Readonly<Record<"notAPhoto" | "heic" | "damaged" | "failed", string>>;
  readonly about: (name: string) => string;
  readonly facts: Readonly<Record<"family" | "origin" | "season" | "storage" | "species", string>>;
  readonly cultivars: string;
  readonly imported: string;
  readonly inSeason: string;
  readonly sources: string;
  readonly unverified: string;
  readonly noFacts: string;
  readonly another: string;
  readonly correctName: string;
  readonly correctHelp: string;
  readonly keep: string;
  readonly kept: (name: string) => string;
  readonly nameNeeded: string;
  readonly download: (photos: number) => string;
  readonly downloadHelp: string;
  readonly remove: string;
  readonly known: (fruits: number) => string;
  readonly limits: string;
  readonly model: (labels: number, threshold: string) => string;
  readonly licences: string;
  readonly install: string;
  readonly noScript: string;
}

export type Language = "en" | "fr";

export const LANGUAGES: Readonly<Record<Language, Messages>> = { en, fr };

/** Return the first language of the browser that the page has. */
export function preferredLanguage(wanted: readonly string[]): Language {
  const codes = wanted.map((tag) => tag.split("-")[0]!.toLowerCase());
  return codes.find(isLanguage) ?? "en";
}

const KEY = "language";

/** Return the language that the user has chosen before. */
export function storedLanguage(): Language | undefined {
  try {
    const code = localStorage.getItem(KEY);
    return isLanguage(code) ? code : undefined;
  } catch {
    return undefined; // the user does not permit storage
  }
}

export function storeLanguage(language: Language): void {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // The choice is lost when the page is closed.
  }
}

function isLanguage(code: string | null): code is Language {
  return code !== null && Object.hasOwn(LANGUAGES, code);
}
