/** Facts about fruits, from `app/facts/*.yml`. */
import type { Candidate } from "./engine/recognise.ts";
import type { Language } from "./text/messages.ts";

export type Text = Readonly<Record<Language, string>>;

export interface Source {
  readonly title: string;
  /** Address; like the title, it can contain {species} and {name}. */
  readonly url: string;
  /** Whether we have read the page. */
  readonly verified: boolean;
}

/** A text, and the names of its sources. */
export type Fact = Text & { readonly sources: readonly string[] };

export const FACTS = ["family", "origin", "season", "cultivars", "diversity", "storage"] as const;

export type FactName = (typeof FACTS)[number];

export type Fruit = Readonly<Record<FactName, Fact>> & {
  readonly name: Text;
  /** Names of the labels that are more special than the name of the fruit. */
  readonly labels: Readonly<Record<string, Text | null>>;
  readonly species: string;
  /** Months, 1 to 12, in which fruit grown in Europe is sold. */
  readonly months: readonly number[];
};

export interface FactTable {
  readonly fruits: readonly Fruit[];
  readonly sources: Readonly<Record<string, Source>>;
}

/** The names of labels, and the fruits they belong to. A label without facts is its own name. */
export class Facts {
  private readonly byLabel = new Map<string, Fruit>();

  constructor(private readonly table: FactTable) {
    for (const fruit of table.fruits) {
      for (const label of Object.keys(fruit.labels)) this.byLabel.set(label, fruit);
    }
  }

  fruitOf(label: string): Fruit | undefined {
    return this.byLabel.get(label);
  }

  /** Return the name of the fruit of a label. */
  nameOf(label: string, language: Language): string {
    return this.byLabel.get(label)?.name[language] ?? label;
  }

  /** Return the name of a label, which can be that of a variety. */
  labelName(label: string, language: Language): string {
    return this.byLabel.get(label)?.labels[label]?.[language] ?? this.nameOf(label, language);
  }

  /** Return candidates with one name as one candidate. Some fruits have a label for each set of photos. */
  merge(candidates: readonly Candidate[], language: Language): Candidate[] {
    const merged = new Map<string, Candidate>();
    for (const { label, probability } of candidates) {
      const name = this.labelName(label, language);
      const before = merged.get(name);
      merged.set(name, { label: before?.label ?? label, probability: probability + (before?.probability ?? 0) });
    }
    return [...merged.values()].sort((a, b) => b.probability - a.probability);
  }

  /** Return the names of the fruits of these labels, in alphabetical order. */
  fruitNames(labels: readonly string[], language: Language): string[] {
    const names = new Set(labels.map((label) => this.nameOf(label, language)));
    return [...names].sort(new Intl.Collator(language).compare);
  }

  /** Return the sources of all facts about a fruit. */
  sourcesOf(fruit: Fruit, language: Language): Source[] {
    const values = { species: fruit.species.replace(/ \(.*/, ""), name: fruit.name[language] };
    const names = new Set(FACTS.flatMap((fact) => fruit[fact].sources));
    return [...names].map((name) => {
      const { title, url, verified } = this.table.sources[name]!;
      return { title: fill(title, values), url: fill(url, values, encodeURIComponent), verified };
    });
  }
}

function fill(template: string, values: Readonly<Record<string, string>>, encode = (text: string) => text): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => encode(values[name]!));
}
