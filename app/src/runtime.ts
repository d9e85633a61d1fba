import { supportsFeature } from "@litertjs/core";

/** Return the name of the variant of LiteRT that this browser can run. */
export async function runtimeVariant(): Promise<string> {
  return (await supportsFeature("relaxedSimd")) ? "litert_wasm_internal" : "litert_wasm_compat_internal";
}
