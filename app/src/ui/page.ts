import type { Facts } from "../facts.ts";
import type { Language, Messages } from "../text/messages.ts";

/** What the parts of the page need to show texts. */
export interface Page {
  readonly language: Language;
  readonly messages: Messages;
  readonly facts: Facts;
  /** Labels of the model. */
  readonly labels: readonly string[];
}
