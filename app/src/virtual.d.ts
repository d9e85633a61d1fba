declare module "app:config" {
  const config: import("./config.ts").Config;
  export default config;
}

declare module "app:precache" {
  /** Version of the page, and the addresses that the page needs. */
  const precache: { readonly version: string; readonly files: readonly string[] };
  export default precache;
}
