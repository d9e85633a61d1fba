/** The service worker: it answers all requests from a cache that it fills when it is installed. */
import precache from "app:precache";

declare const self: ServiceWorkerGlobalScope & typeof globalThis;

interface ServiceWorkerGlobalScope {
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
  readonly registration: { readonly scope: string };
}

interface ExtendableEvent extends Event {
  waitUntil(promise: Promise<unknown>): void;
}

interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

const PREFIX = "fruits-";
const runtime = new URL(self.location.href).searchParams.get("runtime")!;
const cacheName = `${PREFIX}${precache.version}`;

self.addEventListener("install", (event) => {
  (event as ExtendableEvent).waitUntil(install());
});

self.addEventListener("activate", (event) => {
  (event as ExtendableEvent).waitUntil(activate());
});

self.addEventListener("fetch", (event) => {
  const { request, respondWith } = event as FetchEvent;
  if (request.method === "GET" && request.url.startsWith(self.registration.scope)) {
    respondWith.call(event, answer(request));
  }
});

async function install(): Promise<void> {
  const cache = await caches.open(cacheName);
  await cache.addAll([...precache.files, `${runtime}.js`, `${runtime}.wasm`]);
  await self.skipWaiting();
}

/** Delete the caches of older versions. An open page of such a version has loaded everything. */
async function activate(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== cacheName);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(cacheName);
  const key = request.mode === "navigate" ? "./" : request;
  return (await cache.match(key, { ignoreVary: true })) ?? fetch(request);
}
