/** What a file is, from its first bytes; and whether a JPEG is complete. */

export type FileKind = "jpeg" | "heic" | "photo" | "other";

const SCAN = 0xda;
const END = 0xd9;
const FRAMES = [0xc0, 0xcf] as const;
const NO_FRAMES = [0xc4, 0xc8, 0xcc]; // tables and extensions among the markers of frames
const RESTARTS = [0xd0, 0xd7] as const;
const HEIC_BRANDS = ["heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1"];

export function kindOf(content: Uint8Array): FileKind {
  const text = String.fromCharCode(...content.subarray(0, 12));
  if (content[0] === 0xff && content[1] === 0xd8) return "jpeg";
  if (text.slice(4, 8) === "ftyp") return HEIC_BRANDS.includes(text.slice(8, 12)) ? "heic" : "photo";
  const isPhoto = /^(\x89PNG|GIF8|BM|RIFF....WEBP|II\*\0|MM\0\*)/s.test(text);
  return isPhoto ? "photo" : "other";
}

/** Return whether a JPEG has an end marker after its pixels; browsers show what precedes a cut. */
export function isComplete(jpeg: Uint8Array): boolean {
  for (let i = firstScan(jpeg); i >= 0; i = jpeg.indexOf(0xff, i + 1)) {
    if (jpeg[i + 1] === END) return true;
  }
  return false;
}

/** Return width and height of a JPEG as stored, before it is turned upright. */
export function storedSize(jpeg: Uint8Array): [width: number, height: number] | null {
  for (const [marker, position] of segments(jpeg)) {
    if (FRAMES[0] <= marker && marker <= FRAMES[1] && !NO_FRAMES.includes(marker)) {
      return [word(jpeg, position + 7), word(jpeg, position + 5)];
    }
  }
  return null;
}

/** Return the position of the first scan; -1 if there is none. The header can contain a thumbnail. */
function firstScan(jpeg: Uint8Array): number {
  for (const [marker, position] of segments(jpeg)) if (marker === SCAN) return position;
  return -1;
}

/** Yield marker and position of the segments of the header. */
function* segments(jpeg: Uint8Array): Generator<[marker: number, position: number]> {
  let position = 2;
  while (position + 4 <= jpeg.length) {
    const marker = jpeg[position + 1]!;
    const isSegment = jpeg[position] === 0xff && marker >= FRAMES[0] && marker !== 0xff && !isRestart(marker);
    if (isSegment) yield [marker, position];
    position += isSegment ? 2 + word(jpeg, position + 2) : 1;
  }
}

function word(content: Uint8Array, position: number): number {
  return content[position]! * 256 + content[position + 1]!;
}

function isRestart(marker: number): boolean {
  return RESTARTS[0] <= marker && marker <= RESTARTS[1];
}
