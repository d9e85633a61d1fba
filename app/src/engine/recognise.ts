/** From a photo file to an answer, as `make predict` does it. */
import { crop, fit, shrink } from "./fit.ts";
import { withJpegLosses } from "./jpeg_losses.ts";
import type { PhoneModel } from "./phone_model.ts";
import { decode, read, type Photo } from "./photo.ts";
import type { Pixels } from "./pixels.ts";
import { measure, type Quality } from "./quality.ts";

/** Side of the centre, as a share of the photo, in which a fruit is searched that is too far away. */
const CENTRE = 0.5;

/** Limits of the report's quality issues: `report.quality` in `conf/base/parameters_report.yml`. */
export interface Limits {
  readonly dark: number;
  readonly blurred: number;
  readonly tiny: number;
}

export type Hint = "dark" | "blurred" | "tiny" | "far";

export interface Candidate {
  readonly label: string;
  readonly probability: number;
}

export interface Recognition {
  readonly photo: Photo;
  /** The labels, the most probable one first. */
  readonly candidates: readonly Candidate[];
  readonly isKnown: boolean;
  readonly hints: readonly Hint[];
  /** Time from the decoded photo to the answer. */
  readonly milliseconds: number;
}

export async function recognise(file: Blob, model: PhoneModel, limits: Limits): Promise<Recognition> {
  return examine(await decode(file, model.card.short_side), model, limits);
}

/** Examine an empty photo: the first one takes a browser ten times as long. */
export async function warmUp(model: PhoneModel): Promise<void> {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 2 * model.card.short_side;
  const photo = { width: canvas.width, height: canvas.height, isJpeg: false, isTransposed: false, canvas };
  await examine(photo, model, { dark: 0, blurred: 0, tiny: 0 });
}

async function examine(photo: Photo, model: PhoneModel, limits: Limits): Promise<Recognition> {
  const { input_size, fit: mode, short_side, threshold } = model.card;
  const start = performance.now();
  const canonical = canonicalise(photo, short_side);
  const candidates = await classify(model, fit(canonical, input_size, mode));
  const isKnown = candidates[0]!.probability >= threshold;
  const milliseconds = performance.now() - start;
  const hints = qualityHints(photo, measure(canonical), limits);
  if (!isKnown && (await isFarAway(model, canonical))) hints.push("far");
  return { photo, candidates, isKnown, hints, milliseconds };
}

/** Return a canonical photo: `imaging/canonical.py`. Small JPEGs are canonical already. */
export function canonicalise(photo: Photo, shortSide: number): Pixels {
  const pixels = read(photo);
  const isCanonical = photo.isJpeg && Math.min(photo.width, photo.height) <= shortSide;
  return isCanonical ? pixels : withJpegLosses(shrink(pixels, shortSide, photo.isTransposed));
}

async function classify(model: PhoneModel, square: Pixels): Promise<Candidate[]> {
  const probabilities = await model.probabilities(square);
  const candidates = model.labels.map((label, i) => ({ label, probability: probabilities[i]! }));
  return candidates.sort((a, b) => b.probability - a.probability);
}

function qualityHints(photo: Photo, quality: Quality, limits: Limits): Hint[] {
  const hints: Hint[] = [];
  if (quality.brightness < limits.dark) hints.push("dark");
  if (quality.sharpness < limits.blurred) hints.push("blurred");
  if (Math.min(photo.width, photo.height) < limits.tiny) hints.push("tiny");
  return hints;
}

/** Return whether the model knows what is in the centre of a photo that it does not know. */
async function isFarAway(model: PhoneModel, canonical: Pixels): Promise<boolean> {
  const centre = await classify(model, crop(canonical, model.card.input_size, CENTRE));
  return centre[0]!.probability >= model.card.threshold;
}
