/** Opaque RGB pixels in sRGB, row by row, 3 bytes each. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

/** Left, top, right and bottom edge in pixels; edges may be fractional. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];

export function newPixels(width: number, height: number): Pixels {
  return { width, height, data: new Uint8ClampedArray(width * height * 3) };
}

/** Return the RGB pixels of a canvas without transparency. */
export function pixelsOf(image: ImageData): Pixels {
  const pixels = newPixels(image.width, image.height);
  const { data } = image;
  for (let from = 0, to = 0; from < data.length; from += 4) {
    pixels.data[to++] = data[from]!;
    pixels.data[to++] = data[from + 1]!;
    pixels.data[to++] = data[from + 2]!;
  }
  return pixels;
}
