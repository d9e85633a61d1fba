/** The phone model: a LiteRT file that is also a zip archive of its labels and its card. */
import { loadAndCompile, loadLiteRt, Tensor, type CompiledModel } from "@litertjs/core";
import { strFromU8, unzipSync } from "fflate";
import type { Fit } from "./fit.ts";
import type { Pixels } from "./pixels.ts";

export interface Card {
  readonly input_size: number;
  readonly fit: Fit;
  readonly short_side: number;
  readonly threshold: number;
  readonly labels?: readonly string[];
}

export interface Description {
  readonly card: Card;
  readonly labels: readonly string[];
}

/** Read labels and card of a phone model. */
export function describe(content: Uint8Array): Description {
  const archive = unzipSync(content);
  const [labels, card] = ["labels.txt", "card.json"].map((name) => strFromU8(archive[name]!));
  const parsed = JSON.parse(card!) as Card;
  return { card: parsed, labels: parsed.labels ?? labels!.replace(/\n$/, "").split("\n") };
}

export class PhoneModel {
  private constructor(
    readonly card: Card,
    readonly labels: readonly string[],
    private readonly model: CompiledModel,
  ) {}

  /**
   * Start LiteRT, and load a model.
   *
   * @param runtime Address of the script of LiteRT, beside its WebAssembly.
   * @param file Address of the phone model.
   */
  static async load(runtime: string, file: string): Promise<PhoneModel> {
    const [content] = await Promise.all([download(file), loadLiteRt(runtime)]);
    const { card, labels } = describe(content);
    const model = await loadAndCompile(content, { accelerator: "wasm" });
    return new PhoneModel(card, labels, model);
  }

  /** Return the probability of each label, for a square photo of the size on the card. */
  async probabilities(square: Pixels): Promise<Float32Array> {
    const { width, height, data } = square;
    const input = new Tensor(new Uint8Array(data), [1, height, width, 3]);
    const [output] = await this.model.run(input);
    const values = ((await output!.data()) as Float32Array).slice();
    input.delete();
    output!.delete();
    return values;
  }
}

async function download(file: string): Promise<Uint8Array> {
  const response = await fetch(file);
  if (!response.ok) throw new Error(`${file}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
