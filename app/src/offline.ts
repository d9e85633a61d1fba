/** Keep the page and the variant of LiteRT that this browser runs, so that the page works offline. */
export async function workOffline(runtime: string): Promise<void> {
  if (!("serviceWorker" in navigator)) throw new Error("no service worker");
  const address = `sw.js?runtime=${encodeURIComponent(runtime)}`;
  await navigator.serviceWorker.register(address, { updateViaCache: "none" });
  await navigator.serviceWorker.ready;
}
