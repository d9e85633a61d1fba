/** The engine without the page, for tests in the browser and in Node. */
export { archive, toFolderName } from "../src/corrections.ts";
export { isComplete, kindOf } from "../src/engine/file_kind.ts";
export { crop, fit, shrink } from "../src/engine/fit.ts";
export { withJpegLosses } from "../src/engine/jpeg_losses.ts";
export { describe, PhoneModel } from "../src/engine/phone_model.ts";
export { decode, read } from "../src/engine/photo.ts";
export { measure } from "../src/engine/quality.ts";
export { canonicalise, recognise, warmUp } from "../src/engine/recognise.ts";
export { BICUBIC, BILINEAR, resize } from "../src/engine/resize.ts";
export { Facts, FACTS } from "../src/facts.ts";
export { LANGUAGES, preferredLanguage } from "../src/text/messages.ts";
export { certainty, percent } from "../src/ui/words.ts";
