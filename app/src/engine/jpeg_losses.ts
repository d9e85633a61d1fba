/**
 * What is lost when the pipeline stores a canonical photo: a JPEG of quality 92 without
 * subsampling. Without these losses, probabilities differ by up to 0.03.
 */
import { forward, inverse, SIDE } from "./dct.ts";
import { newPixels, type Pixels } from "./pixels.ts";

const LEVEL_SHIFT = 128;

// ITU-T T.81, tables K.1 and K.2, scaled for quality 92 as in libjpeg's jcparam.c.
const PERCENT = 200 - 2 * 92;
const LUMA = scaled([
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
  87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
  72, 92, 95, 98, 112, 100, 103, 99,
]);
const CHROMA = scaled([
  17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99,
]);

/** Return a photo as it is after encoding and decoding. */
export function withJpegLosses(photo: Pixels): Pixels {
  const { width, height, data } = photo;
  const planes = toYcc(data);
  for (const [i, plane] of planes.entries()) quantisePlane(plane, width, height, i === 0 ? LUMA : CHROMA);
  const result = newPixels(width, height);
  toRgb(planes, result.data);
  return result;
}

function scaled(table: readonly number[]): Int32Array {
  return Int32Array.from(table, (value) => Math.max(1, Math.floor((value * PERCENT + 50) / 100)));
}

const BITS = 16;
const HALF = 1 << (BITS - 1);
const fix = (value: number) => Math.round(value * 2 ** BITS);

// ITU-T T.871, in the fixed-point arithmetic of libjpeg's jccolor.c and jdcolor.c.
const [Y_RED, Y_GREEN, Y_BLUE] = [fix(0.299), fix(0.587), fix(0.114)];
const [CB_RED, CB_GREEN, CR_GREEN, CR_BLUE] = [fix(0.168735892), fix(0.331264108), fix(0.418687589), fix(0.081312411)];
const [RED_CR, GREEN_CB, GREEN_CR, BLUE_CB] = [fix(1.402), fix(0.34414), fix(0.71414), fix(1.772)];
const CHROMA_HALF = (LEVEL_SHIFT << BITS) + HALF - 1;

type Planes = readonly [Uint8ClampedArray, Uint8ClampedArray, Uint8ClampedArray];

function toYcc(rgb: Uint8ClampedArray): Planes {
  const newPlane = () => new Uint8ClampedArray(rgb.length / 3);
  const planes: Planes = [newPlane(), newPlane(), newPlane()];
  const [y, cb, cr] = planes;
  for (let i = 0, from = 0; i < y.length; i++, from += 3) {
    const red = rgb[from]!;
    const green = rgb[from + 1]!;
    const blue = rgb[from + 2]!;
    y[i] = (Y_RED * red + Y_GREEN * green + Y_BLUE * blue + HALF) >> BITS;
    cb[i] = (HALF * blue - CB_RED * red - CB_GREEN * green + CHROMA_HALF) >> BITS;
    cr[i] = (HALF * red - CR_GREEN * green - CR_BLUE * blue + CHROMA_HALF) >> BITS;
  }
  return planes;
}

function toRgb([y, cb, cr]: Planes, rgb: Uint8ClampedArray): void {
  for (let i = 0, to = 0; i < y.length; i++, to += 3) {
    const luma = y[i]!;
    const blueness = cb[i]! - LEVEL_SHIFT;
    const redness = cr[i]! - LEVEL_SHIFT;
    rgb[to] = luma + ((RED_CR * redness + HALF) >> BITS);
    rgb[to + 1] = luma + ((HALF - GREEN_CB * blueness - GREEN_CR * redness) >> BITS);
    rgb[to + 2] = luma + ((BLUE_CB * blueness + HALF) >> BITS);
  }
}

/** Round the coefficients of a plane. Blocks at its edges repeat the last pixels. */
function quantisePlane(plane: Uint8ClampedArray, width: number, height: number, table: Int32Array): void {
  const block = new Int32Array(SIDE * SIDE);
  for (let top = 0; top < height; top += SIDE) {
    for (let left = 0; left < width; left += SIDE) {
      for (let i = 0; i < block.length; i++) {
        const row = Math.min(height - 1, top + (i >> 3));
        block[i] = plane[row * width + Math.min(width - 1, left + (i & 7))]! - LEVEL_SHIFT;
      }
      quantise(block, table);
      for (let i = 0; i < block.length; i++) {
        const [row, column] = [top + (i >> 3), left + (i & 7)];
        if (row < height && column < width) plane[row * width + column] = block[i]! + LEVEL_SHIFT;
      }
    }
  }
}

function quantise(block: Int32Array, table: Int32Array): void {
  forward(block);
  for (let i = 0; i < block.length; i++) {
    const step = table[i]!;
    const size = Math.floor((Math.abs(block[i]!) + step * (SIDE / 2)) / (step * SIDE)) * step;
    block[i] = block[i]! < 0 ? -size : size;
  }
  inverse(block);
}
