/** Decode photos with the browser: upright, in sRGB, on white, and small enough for any memory. */
import { isComplete, kindOf, storedSize } from "./file_kind.ts";
import { pixelsOf, type Pixels } from "./pixels.ts";

/** Like the pipeline, halve photos until the shorter side is less than four canonical sides. */
const MAX_SHORT_SIDES = 4;
const MAX_LONG_SIDE = 8192; // canvases of some phones are not larger

export type PhotoProblem = "notAPhoto" | "heic" | "damaged";

/** A file that cannot be shown as a photo. */
export class PhotoError extends Error {
  constructor(readonly problem: PhotoProblem) {
    super(problem);
  }
}

export interface Photo {
  /** Size of the photo as taken, upright. */
  readonly width: number;
  readonly height: number;
  /** Whether the pipeline takes the file for a canonical photo, if it is upright and in sRGB. */
  readonly isJpeg: boolean;
  /** Whether the file has rows of pixels where the upright photo has columns. */
  readonly isTransposed: boolean;
  /** The photo, reduced. */
  readonly canvas: HTMLCanvasElement;
}

/**
 * Decode a photo.
 *
 * @param shortSide Maximum shorter side of canonical photos.
 * @throws PhotoError The file is no photo, is damaged, or has a format that the browser does not know.
 */
export async function decode(file: Blob, shortSide: number): Promise<Photo> {
  const content = new Uint8Array(await file.arrayBuffer());
  const kind = kindOf(content);
  if (kind === "jpeg" && !isComplete(content)) throw new PhotoError("damaged");
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => {
    throw new PhotoError(kind === "heic" ? "heic" : kind === "other" ? "notAPhoto" : "damaged");
  });
  try {
    const { width, height } = bitmap;
    const stored = kind === "jpeg" ? storedSize(content) : null;
    const isTransposed = stored !== null && stored[0] === height && stored[1] === width && width !== height;
    return { width, height, isJpeg: kind === "jpeg", isTransposed, canvas: draw(bitmap, shortSide) };
  } finally {
    bitmap.close(); // 200 MB for a photo of 48 megapixels
  }
}

/** Return the pixels of a photo. */
export function read({ canvas }: Photo): Pixels {
  return pixelsOf(context(canvas).getImageData(0, 0, canvas.width, canvas.height));
}

function draw(bitmap: ImageBitmap, shortSide: number): HTMLCanvasElement {
  const divisor = divisorOf(bitmap, shortSide);
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(bitmap.width / divisor);
  canvas.height = Math.ceil(bitmap.height / divisor);
  const drawing = context(canvas);
  drawing.fillStyle = "white";
  drawing.fillRect(0, 0, canvas.width, canvas.height);
  drawing.imageSmoothingQuality = "medium"; // averages squares of pixels, as the pipeline does
  drawing.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function divisorOf({ width, height }: ImageBitmap, shortSide: number): number {
  let divisor = 1;
  const isTooLarge = () =>
    Math.min(width, height) / divisor >= MAX_SHORT_SIDES * shortSide ||
    Math.max(width, height) / divisor > MAX_LONG_SIDE;
  while (isTooLarge()) divisor *= 2;
  return divisor;
}

function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  return canvas.getContext("2d", { alpha: false, willReadFrequently: true, colorSpace: "srgb" })!;
}
