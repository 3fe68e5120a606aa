// What arrives by itself moves nothing that somebody is at: whatever has the focus, and is in sight, stays where it is.
let held = null;

document.addEventListener("htmx:before:swap", () => {
  const at = document.activeElement;
  const { top, bottom } = at.getBoundingClientRect();
  held = at !== document.body && bottom > 0 && top < window.innerHeight ? { at, top } : null;
});

document.addEventListener("htmx:after:swap", () => {
  if (held?.at.isConnected) window.scrollBy({ top: held.at.getBoundingClientRect().top - held.top, behavior: "instant" });
  held = null;
});
