/** Brightness and sharpness of canonical photos: the measures of the report (`imaging/quality.py`). */
import { newPixels, type Pixels } from "./pixels.ts";

const SIDE = 96; // shorter side at which photos are measured, if they are not smaller
const LUMA = [306, 601, 117] as const; // ITU-R BT.601, as integers
const WHITE = 1024 * 255;
const MIN_SIDE = 3; // of the Laplacian

export interface Quality {
  /** Mean of the luma, 0 to 1. */
  readonly brightness: number;
  /** Standard deviation of the luma, 0 to 0.5. */
  readonly contrast: number;
  /** Standard deviation of the Laplacian of the luma, divided by the contrast. */
  readonly sharpness: number;
}

export function measure(photo: Pixels): Quality {
  const { width, height, data } = reduce(photo, reductionOf(photo));
  const luma = new Float64Array(width * height);
  for (let i = 0, from = 0; i < luma.length; i++, from += 3) {
    luma[i] = LUMA[0] * data[from]! + LUMA[1] * data[from + 1]! + LUMA[2] * data[from + 2]!;
  }
  const { mean, deviation } = statistics(luma);
  const isFlat = deviation < WHITE / 255 || Math.min(width, height) < MIN_SIDE;
  return {
    brightness: mean / WHITE,
    contrast: deviation / WHITE,
    sharpness: isFlat ? 0 : statistics(laplacian(luma, width, height)).deviation / deviation,
  };
}

/** The divisor with which libjpeg decodes the canonical photo in the pipeline. */
function reductionOf({ width, height }: Pixels): number {
  const isLargeEnough = (divisor: number) => Math.min(width, height) / divisor >= SIDE;
  return [8, 4, 2].find(isLargeEnough) ?? 1;
}

/** Average squares of pixels. */
function reduce(photo: Pixels, factor: number): Pixels {
  if (factor === 1) return photo;
  const result = newPixels(Math.floor(photo.width / factor), Math.floor(photo.height / factor));
  const stride = photo.width * 3;
  for (let i = 0; i < result.data.length; i++) {
    const x = Math.floor(i / 3) % result.width;
    const y = Math.floor(i / 3 / result.width);
    const start = y * factor * stride + x * factor * 3 + (i % 3);
    let sum = 0;
    for (let row = 0; row < factor; row++) {
      for (let column = 0; column < factor; column++) sum += photo.data[start + row * stride + column * 3]!;
    }
    result.data[i] = sum / factor ** 2;
  }
  return result;
}

function laplacian(luma: Float64Array, width: number, height: number): Float64Array {
  const result = new Float64Array((width - 2) * (height - 2));
  let to = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * width + 1; i < (y + 1) * width - 1; i++) {
      const neighbours = luma[i - 1]! + luma[i + 1]! + luma[i - width]! + luma[i + width]!;
      result[to++] = 4 * luma[i]! - neighbours;
    }
  }
  return result;
}

function statistics(values: Float64Array): { mean: number; deviation: number } {
  let sum = 0;
  let squares = 0;
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / values.length;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / values.length - mean * mean)) };
}
