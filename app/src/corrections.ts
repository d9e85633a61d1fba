/** Photos with corrected names, in the folders that `ingest` reads: `<label>/<file>`. */
import { zipSync, type Zippable } from "fflate";

export interface Correction {
  readonly label: string;
  readonly file: File;
}

/** Names that the pipeline takes for splits: `ingest.path_rules` in `conf/base/parameters_ingest.yml`. */
const SPLITS = /^(training|train|validation|valid|val|test)$/i;
const FORBIDDEN = /[\p{Cc}/\\:*?"<>|]+/gu; // in names of files, on some systems

/** Return a name as a folder name; empty if nothing is left of it. */
export function toFolderName(name: string): string {
  const folder = toFileName(name);
  return SPLITS.test(folder) ? "" : folder;
}

function toFileName(name: string): string {
  return name.normalize("NFC").replace(FORBIDDEN, " ").replace(/\s+/g, " ").replace(/^[. ]+|[. ]+$/g, "");
}

/** Return a zip archive of the photos, unchanged. */
export async function archive(corrections: readonly Correction[]): Promise<Blob> {
  const files: Zippable = {};
  for (const { label, file } of corrections) {
    const content = new Uint8Array(await file.arrayBuffer());
    files[`${label}/${await uniqueName(file, content)}`] = [content, { level: 0 }]; // photos are compressed already
  }
  return new Blob([zipSync(files)], { type: "application/zip" });
}

/** Return a name that differs for different photos, because phones call all of them `image.jpg`. */
async function uniqueName(file: File, content: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const prefix = [...digest.subarray(0, 6)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${prefix}-${toFileName(file.name) || "photo.jpg"}`;
}
