/** What a file is, from its first bytes; and whether a JPEG is complete. */

export type FileKind = "jpeg" | "heic" | "photo" | "other";

const SCAN = 0xda;
const END = 0xd9;
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

/** Return the position of the first scan; -1 if there is none. The header can contain a thumbnail. */
function firstScan(jpeg: Uint8Array): number {
  let position = 2;
  while (position + 4 <= jpeg.length) {
    const marker = jpeg[position + 1]!;
    if (jpeg[position] !== 0xff) position += 1;
    else if (marker === SCAN) return position;
    else if (marker === 0xff || marker === 0 || isWithoutLength(marker)) position += 1;
    else position += 2 + jpeg[position + 2]! * 256 + jpeg[position + 3]!;
  }
  return -1;
}

function isWithoutLength(marker: number): boolean {
  return marker >= RESTARTS[0] && marker <= RESTARTS[1];
}
