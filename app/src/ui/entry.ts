import type { PhotoProblem } from "../engine/photo.ts";
import type { Recognition } from "../engine/recognise.ts";

/** A photo on the page, and what is known about it. */
export interface Entry {
  readonly id: number;
  readonly file: File;
  readonly state:
    | { readonly kind: "waiting" }
    | { readonly kind: "problem"; readonly problem: PhotoProblem | "failed" }
    | { readonly kind: "answered"; readonly recognition: Recognition };
  /** The label that the user has given. */
  readonly correction?: string;
}
