"use strict";
// Comforts of the reviewer's desk. Without this file every link, mark and search works as a page of its own.

const review = document.querySelector("[data-review]");
const marks = document.getElementById("marks");
const saved = document.getElementById("review-saved");
const help = document.getElementById("review-help");
const HEARTBEAT = 5 * 60 * 1000;
const RETRY = 5000;

// --- parts of the page exchanged without losing the place ----------------------------------------------
// The server sends the whole page; only what changed is taken from it. Anything else (logged out) opens as a page, and
// what was typed is kept (kept.js).
async function fetchPage(url, options) {
  const answer = await fetch(url, { credentials: "same-origin", ...options });
  if (answer.status >= 500) throw new Error(`${answer.status}`); // like a line that broke: it can be asked again
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (answer.ok && page.querySelector("[data-review]")) return page;
  document.dispatchEvent(new Event("session-end"));
  return location.reload();
}
function take(page, selector) {
  page.querySelectorAll(selector).forEach((part) => {
    const old = document.getElementById(part.id);
    const held = old?.contains(document.activeElement) ? document.activeElement : null;
    old?.replaceWith(part);
    // Where the keyboard was there is something like it in the new part, or else the item in hand.
    if (held) (alike(part, held) || current())?.focus();
  });
}
const named = (control) => control.getAttribute("aria-label") || control.textContent;
const alike = (part, held) => [...part.querySelectorAll("a[href], button")].find((one) => named(one) === named(held));
const viewerField = (name) => marks.querySelector(`input[type="hidden"][name="${name}"]`);
function carry(url) {
  // The form of marks leads back to what is looked at now.
  ["file", "page", "zoom", "turn", "q"].forEach((name) => {
    const value = url.searchParams.get(name);
    let input = viewerField(name);
    if (!value) return input?.remove();
    if (!input) {
      input = Object.assign(document.createElement("input"), { type: "hidden", name });
      marks.append(input);
    }
    input.value = value;
  });
}
async function look(address) {
  const url = new URL(address, location.href);
  const page = await fetchPage(url);
  if (!page) return;
  const held = document.activeElement?.closest("#viewer") && document.activeElement;
  take(page, "#viewer");
  history.replaceState(null, "", url);
  carry(url);
  const viewer = document.getElementById("viewer");
  if (held) (alike(viewer, held) || viewer.querySelector(".viewer-stage")).focus();
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-viewer]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  look(link.href).catch(() => location.assign(link.href));
});
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-viewer]");
  if (!form) return;
  event.preventDefault();
  const address = `${location.pathname}?${new URLSearchParams(new FormData(form))}`;
  look(address).catch(() => location.assign(address));
});

// --- marks are kept as they are given --------------------------------------------------------------------
// What is marked while an answer is under way goes together with the next one; what did not arrive goes again.
let queue = Promise.resolve();
const marked = new Set();
function say(text, bad) {
  saved.textContent = text;
  saved.classList.toggle("due-danger", bad);
}
async function sendMarks() {
  if (marked.size === 0) return;
  const sent = [...marked];
  const data = new FormData(marks);
  sent.forEach((key) => data.append("only", key));
  marked.clear();
  let page;
  try {
    page = await fetchPage(marks.action, { method: "POST", body: new URLSearchParams(data) });
  } catch {
    sent.forEach((key) => marked.add(key));
    say(review.dataset.retry, true);
    setTimeout(queueMarks, RETRY);
    return;
  }
  if (!page) return;
  take(page, "#review-bar, [id^='condition-']");
  const refused = page.querySelector(".notice-error p");
  if (refused || marked.size === 0) say((refused || page.querySelector(".notice-success p"))?.textContent ?? "", Boolean(refused));
  review.toggleAttribute("data-mine", page.querySelector("[data-review]").hasAttribute("data-mine"));
}
let waiting = 0;
function queueMarks() {
  waiting += 1;
  queue = queue.catch(() => null).then(sendMarks).finally(() => { waiting -= 1; });
}
// The button waits for what is under way; sent beside it, the answer would tell of both.
marks.addEventListener("submit", (event) => {
  if (waiting === 0) return;
  event.preventDefault();
  queue.then(() => marks.requestSubmit(event.submitter));
});
function keep(item) {
  marked.add(item.dataset.item);
  say(review.dataset.saving, false); // until all of it is
  queueMarks();
}
marks.addEventListener("change", (event) => {
  const item = event.target.closest("[data-item]");
  if (!item) return;
  if (event.target.name.startsWith("phrase-")) {
    item.querySelector('[name^="text-"]').value = event.target.value;
  }
  keep(item);
});
function refer(item) {
  const { file, page } = document.getElementById("viewer").dataset;
  if (!file) return;
  item.querySelector('[name^="file-"]').value = file;
  item.querySelector('[name^="page-"]').value = page;
  keep(item);
}
marks.addEventListener("click", (event) => {
  if (event.target.closest("[data-refer]")) refer(event.target.closest("[data-item]"));
});

// --- how wide the panes are, kept in this browser ----------------------------------------------------------
const panes = document.querySelector(".review-panes");
function split(name) {
  panes.className = `review-panes split-${name}`;
  document.querySelectorAll("[data-split]").forEach((button) => {
    button.setAttribute("aria-pressed", button.dataset.split === name);
  });
}
document.querySelectorAll("[data-split]").forEach((button) => {
  button.addEventListener("click", () => {
    localStorage.setItem("review-split", button.dataset.split);
    split(button.dataset.split);
  });
});
split(["wide", "even", "slim"].find((name) => name === localStorage.getItem("review-split")) || "even");

// --- keys: never while something is typed, and only while they are switched on (WCAG 2.1.4) ------------------
const keysBox = help.querySelector("[data-keys-on]");
keysBox.checked = localStorage.getItem("review-keys") !== "off";
keysBox.addEventListener("change", () => localStorage.setItem("review-keys", keysBox.checked ? "on" : "off"));
document.querySelector("[data-help]").addEventListener("click", () => help.showModal());

const items = () => [...marks.querySelectorAll("[data-item]")];
const current = () => document.activeElement?.closest("[data-item]")
  || items().find((item) => !item.querySelector("[data-mark]:checked")) || items()[0];
function goTo(item) {
  const radio = item?.querySelector("[data-mark]:checked") || item?.querySelector("[data-mark]");
  radio?.focus();
  item?.scrollIntoView({ block: "nearest" });
}
function step(by) {
  const all = items();
  const here = document.activeElement?.closest("[data-item]");
  goTo(here ? all[all.indexOf(here) + by] : current());
}
function give(number) {
  const item = current();
  const radio = item?.querySelector(`[data-mark="${number}"]`);
  if (!radio || radio.matches(":disabled")) return;
  radio.checked = true;
  keep(item);
  if (radio.value === "not_met") goTo(item); else goTo(items()[items().indexOf(item) + 1] || item);
}
const typing = (target) => target.closest('input:not([type="radio"], [type="checkbox"]), select, textarea, [contenteditable]');
const KEYS = {
  n: () => step(1),
  p: () => step(-1),
  a: () => queue.then(() => document.querySelector(".review-acts a")?.focus()), // what may be done follows from the marks
  r: () => { const item = current(); if (item && !item.querySelector(":disabled")) refer(item); },
  "/": () => document.querySelector('.viewer-find [type="search"]')?.focus(),
  "?": () => help.showModal(),
  1: () => give(1),
  2: () => give(2),
  3: () => give(3),
};
document.addEventListener("keydown", (event) => {
  if (!keysBox.checked || help.open || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const link = document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`);
  if (!link && !Object.hasOwn(KEYS, event.key)) return;
  event.preventDefault();
  if (link) queue.then(() => link.click()); else KEYS[event.key]();
});

// --- where the keyboard is when the page opens: at the item in hand, or at what leads on -----------------------
// The item itself, no mark of it: an arrow key scrolls then, and marks nothing.
const main = document.getElementById("main");
function begin() {
  if (![document.body, main].includes(document.activeElement)) return;
  const item = marks.querySelector(".review-set:disabled") ? null : current();
  const place = document.querySelector(".page-place");
  (item || place.querySelector('[data-key="j"]') || place.querySelector("a")).focus({ preventScroll: true });
  item?.scrollIntoView({ block: "nearest" });
}
begin();
// The skip link's #main on the page of an act comes along with what is sent there; the browser heeds it after this.
if (location.hash === "#main") main.addEventListener("focus", begin, { once: true });

// --- a sign of life while the desk is open and in sight --------------------------------------------------------
setInterval(() => {
  if (document.hidden || !review.hasAttribute("data-mine")) return;
  const body = new URLSearchParams({ act: "touch", csrfmiddlewaretoken: marks.csrfmiddlewaretoken.value });
  fetch(review.dataset.review, { method: "POST", headers: { "X-Poll": "1" }, body }).catch(() => null);
}, HEARTBEAT);
