"use strict";
// The page of an upload job refreshes itself: what changes is read out now and then, and the keyboard stays where it is.

const live = document.querySelector("[data-live]");
let focused = null;

function say() {
  const said = document.querySelector("#job [data-said]")?.dataset.said || "";
  if (said !== live.dataset.last) live.textContent = said;
  live.dataset.last = said;
}

// What had the focus, found again by what it is.
function mark(element) {
  if (!element || element === document.body) return null;
  if (element.id) return `#${CSS.escape(element.id)}`;
  const name = element.localName;
  const href = element.getAttribute("href");
  return href ? `${name}[href="${CSS.escape(href)}"]` : name === "summary" ? "#job summary" : null;
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr, pathInfo } = event.detail;
  if (target.id === "list") return;
  if (!xhr.responseText.includes('id="job')) { // logged out, or gone: read the page as it is
    event.detail.shouldSwap = false;
    location.assign(target.id === "job" ? pathInfo.finalRequestPath : location.href);
    return;
  }
  focused = target.contains(document.activeElement) ? mark(document.activeElement) : null;
});
document.addEventListener("htmx:afterSettle", () => {
  if (focused) document.querySelector(focused)?.focus({ preventScroll: true });
  focused = null;
  say();
});
live.dataset.last = document.querySelector("#job [data-said]")?.dataset.said || "";
