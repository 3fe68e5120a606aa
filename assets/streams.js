// What htmx hears live it connects to again when that breaks off, but not when the very first connection fails.
// It listens before htmx begins: the first connection can fail before any module is there.
const FIRST_MS = 1000;
const LAST_MS = 10000;
const UNAUTHORISED = 401;
const connected = new WeakSet();
const waiting = new WeakSet();
const tried = new WeakMap();

const again = (event) => {
  const { sourceElement: at, response } = event.detail.ctx ?? {};
  const path = at?.getAttribute?.("hx-sse:connect");
  if (!path || connected.has(at) || waiting.has(at) || response?.status === UNAUTHORISED) return;
  const times = tried.get(at) ?? 0;
  tried.set(at, times + 1);
  waiting.add(at);
  setTimeout(() => {
    waiting.delete(at);
    if (at.isConnected && !connected.has(at)) window.htmx.ajax("GET", path, { source: at });
  }, Math.min(FIRST_MS * 2 ** times, LAST_MS));
};

document.addEventListener("htmx:sse:after:connection", (event) => connected.add(event.target));
for (const name of ["htmx:error", "htmx:response:error"]) document.addEventListener(name, again);
