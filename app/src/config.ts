import type { Limits } from "./engine/recognise.ts";
import type { FactTable } from "./facts.ts";

/** What the build knows: `build.mjs`. */
export interface Config {
  /** Address of the phone model. */
  readonly model: string;
  /** Folder of LiteRT's scripts and WebAssembly. */
  readonly runtime: string;
  readonly labels: readonly string[];
  readonly threshold: number;
  readonly limits: Limits;
  readonly facts: FactTable;
}
