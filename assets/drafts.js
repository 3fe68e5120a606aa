// Drafts are kept by htmx, as templates/drafts.html.jinja says. Here: one after the other, and again after a failure.
const AGAIN_MS = 5000;
let waiting = 0;

const isDraft = (event) => event.detail.ctx?.target?.id === "draft";
const again = () => {
  const typed = document.getElementById("draft")?.closest("form").querySelector("[hx-trigger*=again]");
  if (typed) window.htmx.trigger(typed, "again");
};
const soon = () => {
  clearTimeout(waiting);
  waiting = setTimeout(again, AGAIN_MS);
};
const away = (isAway) => {
  const place = document.getElementById("draft-away");
  place.textContent = isAway ? place.dataset.said : "";
};

// What is kept is shown anew; a browser that fills in by itself what was sent before would have it sent twice.
for (const each of document.querySelectorAll("form:has([hx-trigger*=again])")) each.autocomplete = "off";

document.addEventListener("htmx:before:request", (event) => {
  if (!isDraft(event)) return;
  const { request } = event.detail.ctx;
  // One that waited for another goes on from what that one left.
  for (const name of ["draft", "csrf"]) request.body.set(name, request.form.elements[name].value);
});

document.addEventListener("htmx:error", (event) => {
  if (!isDraft(event)) return;
  away(true);
  soon();
});

document.addEventListener("htmx:after:swap", (event) => {
  if (!isDraft(event)) return;
  clearTimeout(waiting);
  away(false);
  if (document.getElementById("draft-said").dataset.again === "soon") soon();
  // Where a button was that is not there any more.
  if (document.activeElement === document.body) document.getElementById("body").focus({ preventScroll: true });
});

// A network that is there again is not waited for.
window.addEventListener("online", () => {
  if (document.getElementById("draft-away")?.textContent) again();
});

// Whoever signed in again, in another tab, comes back to this one.
for (const name of ["focus", "visibilitychange"]) {
  window.addEventListener(name, () => {
    if (!document.hidden && document.getElementById("draft-said")?.dataset.again) again();
  });
}
