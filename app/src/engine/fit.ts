/** Canonical photos, and their square for the model: `imaging/decoding/bands.py`, `imaging/fitting.py`. */
import { newPixels, type Pixels } from "./pixels.ts";
import { BICUBIC, BILINEAR, resize } from "./resize.ts";

export type Fit = "crop" | "pad" | "stretch";

const WHITE = 255;

/**
 * Shrink a photo to a shorter side of at most `shortSide` pixels.
 *
 * @param isTransposed Whether the pipeline shrinks the photo before it exchanges rows and columns.
 */
export function shrink(photo: Pixels, shortSide: number, isTransposed: boolean): Pixels {
  const scale = Math.min(1, shortSide / Math.min(photo.width, photo.height));
  const [width, height] = [photo.width, photo.height].map((side) => Math.max(1, roundHalfToEven(side * scale)));
  return resize(photo, width!, height!, { ...BICUBIC, isColumnsFirst: isTransposed });
}

/** Fit a canonical photo to a square of `size` pixels. */
export function fit(photo: Pixels, size: number, mode: Fit): Pixels {
  if (mode === "stretch") return resize(photo, size, size, BILINEAR);
  if (mode === "pad") return pad(photo, size);
  return crop(photo, size, 1);
}

/** Resize the central square of a photo, whose side is a `share` of the shorter side. */
export function crop(photo: Pixels, size: number, share: number): Pixels {
  const side = Math.min(photo.width, photo.height) * share;
  const left = (photo.width - side) / 2;
  const top = (photo.height - side) / 2;
  return resize(photo, size, size, BILINEAR, [left, top, left + side, top + side]);
}

function pad(photo: Pixels, size: number): Pixels {
  const scale = size / Math.max(photo.width, photo.height);
  const width = Math.max(1, roundHalfToEven(photo.width * scale));
  const height = Math.max(1, roundHalfToEven(photo.height * scale));
  const inner = resize(photo, width, height, BILINEAR);
  const padded = newPixels(size, size);
  padded.data.fill(WHITE);
  const left = Math.floor((size - width) / 2);
  const top = Math.floor((size - height) / 2);
  for (let y = 0; y < height; y++) {
    const row = inner.data.subarray(y * width * 3, (y + 1) * width * 3);
    padded.data.set(row, ((top + y) * size + left) * 3);
  }
  return padded;
}

/** Round as Python does. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}
