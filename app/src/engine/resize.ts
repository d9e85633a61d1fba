/**
 * Resize photos with the filters of the pipeline, so that results are equal: bicubic as in Pillow
 * (`Resample.c`), with the same fixed-point arithmetic, and bilinear as in `cykooz_resizer`, which
 * filters columns first.
 */
import { newPixels, type Box, type Pixels } from "./pixels.ts";

export interface Filter {
  /** Half the width of the filter, in pixels of the smaller image. */
  readonly support: number;
  readonly weight: (x: number) => number;
  readonly isColumnsFirst: boolean;
}

export const BILINEAR: Filter = {
  support: 1,
  isColumnsFirst: true,
  weight: (x) => Math.max(0, 1 - Math.abs(x)),
};

const A = -0.5; // of the cubic convolution: Keys (1981)

export const BICUBIC: Filter = {
  support: 2,
  isColumnsFirst: false,
  weight(signed) {
    const x = Math.abs(signed);
    if (x < 1) return ((A + 2) * x - (A + 3)) * x * x + 1;
    if (x < 2) return (((x - 5) * x + 8) * x - 4) * A;
    return 0;
  },
};

const ONE = 2 ** 22; // weight 1 in fixed point: PRECISION_BITS in Resample.c
const CHANNELS = 3;

/** First pixel of the source, and the weights of the pixels from it, for a pixel of the result. */
interface Weights {
  readonly first: number;
  readonly values: readonly number[];
}

/** Resize a rectangle of a photo to `width` x `height` pixels. */
export function resize(
  photo: Pixels,
  width: number,
  height: number,
  filter: Filter,
  box: Box = [0, 0, photo.width, photo.height],
): Pixels {
  const [left, top, right, bottom] = box;
  const rows = (pixels: Pixels) =>
    width === pixels.width && left === 0 && right === width
      ? pixels
      : resizeRows(pixels, weightsOf(photo.width, left, right, width, filter));
  const columns = (pixels: Pixels) =>
    height === pixels.height && top === 0 && bottom === height
      ? pixels
      : resizeColumns(pixels, weightsOf(photo.height, top, bottom, height, filter));
  return filter.isColumnsFirst ? rows(columns(photo)) : columns(rows(photo));
}

function weightsOf(size: number, from: number, to: number, count: number, filter: Filter): Weights[] {
  const scale = (to - from) / count;
  const stretch = Math.max(scale, 1);
  const support = filter.support * stretch;
  return Array.from({ length: count }, (_, i) => {
    const centre = from + (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(size, Math.trunc(centre + support + 0.5));
    const raw = Array.from({ length: end - first }, (_, x) =>
      filter.weight((x + first - centre + 0.5) / stretch),
    );
    const sum = raw.reduce((total, value) => total + value, 0);
    return { first, values: raw.map((value) => toFixedPoint(value / sum)) };
  });
}

function toFixedPoint(value: number): number {
  return Math.trunc(value * ONE + Math.sign(value) * 0.5);
}

function resizeRows(photo: Pixels, weights: readonly Weights[]): Pixels {
  const result = newPixels(weights.length, photo.height);
  for (let y = 0; y < photo.height; y++) {
    const row = y * photo.width * CHANNELS;
    filterLine(photo.data, row, CHANNELS, result.data, y * result.width * CHANNELS, CHANNELS, weights);
  }
  return result;
}

function resizeColumns(photo: Pixels, weights: readonly Weights[]): Pixels {
  const result = newPixels(photo.width, weights.length);
  const stride = photo.width * CHANNELS;
  for (let x = 0; x < photo.width; x++) {
    filterLine(photo.data, x * CHANNELS, stride, result.data, x * CHANNELS, stride, weights);
  }
  return result;
}

function filterLine(
  source: Uint8ClampedArray,
  sourceStart: number,
  sourceStep: number,
  target: Uint8ClampedArray,
  targetStart: number,
  targetStep: number,
  weights: readonly Weights[],
): void {
  let to = targetStart;
  for (const { first, values } of weights) {
    let red = ONE / 2;
    let green = ONE / 2;
    let blue = ONE / 2;
    let from = sourceStart + first * sourceStep;
    for (const value of values) {
      red += value * source[from]!;
      green += value * source[from + 1]!;
      blue += value * source[from + 2]!;
      from += sourceStep;
    }
    target[to] = Math.floor(red / ONE);
    target[to + 1] = Math.floor(green / ONE);
    target[to + 2] = Math.floor(blue / ONE);
    to += targetStep;
  }
}
