"use strict";
// Saves a section while it is being written (P04). Without this file the buttons do the same with the same care.

const form = document.querySelector("form[data-autosave]");
const state = form.querySelector("[data-state]");
const WAIT = 3000; // after the last key
const LIMIT = 8000; // after the first one: no more than ten seconds are ever lost
const RETRY = 5000;

let changes = 0; // counted, so that what is typed during a save is not taken for saved
let saved = 0;
let firstChange = 0;
let timer;
let running = null;
let leaving = false;

const dirty = () => changes > saved;
const say = (text, bad = false) => {
  state.textContent = text;
  state.dataset.tone = bad ? "bad" : "";
};

function schedule(wait) {
  clearTimeout(timer);
  timer = setTimeout(save, wait);
}

function changed() {
  if (!dirty()) firstChange = Date.now();
  changes += 1;
  schedule(Math.max(0, Math.min(WAIT, firstChange + LIMIT - Date.now())));
}

// Shows both values of a field that another window changed, too; the choice is sent with the button.
function showClash(key, html) {
  const row = form.querySelector(`[data-field="${key}"]`);
  row.querySelector("[data-choice]")?.remove();
  row.insertAdjacentHTML("beforeend", html);
  row.lastElementChild.scrollIntoView({ block: "nearest" });
}

function took(answer) {
  form.elements.base.value = answer.base;
  form.elements.shown.value = answer.shown;
  Object.entries(answer.clashes).forEach(([key, html]) => showClash(key, html));
  if (form.querySelector('[name^="other-"]')) say(form.dataset.clash, true);
  else if (Object.keys(answer.unfit).length) say(`${form.dataset.unfit} ${Object.values(answer.unfit)[0]}`, true);
  else say(`${form.dataset.saved} ${answer.saved_at}`);
}

async function send(renewed = false) {
  const upTo = changes;
  const answer = await fetch(form.action, {
    method: "POST",
    body: new FormData(form),
    headers: { "X-Autosave": "1", Accept: "application/json" },
    redirect: "manual",
    keepalive: true,
  });
  if (answer.status === 403 && !renewed && (await renewToken())) return send(true);
  if (answer.type === "opaqueredirect" || answer.status === 403) return say(form.dataset.login, true);
  if (answer.status === 422) { // it would be refused again; the next thing that is typed asks once more
    saved = upTo;
    return say((await answer.json()).detail, true);
  }
  if (!answer.ok && answer.status !== 409) throw new Error(`${answer.status}`);
  took(await answer.json());
  saved = upTo;
  document.dispatchEvent(new Event("htmx:afterRequest")); // the session lives on; its warning starts afresh
}

function save() {
  if (running || leaving || !dirty()) return running;
  clearTimeout(timer);
  running = send()
    .then(() => { if (dirty()) { firstChange = Date.now(); schedule(WAIT); } })
    .catch(() => { say(form.dataset.retry, true); schedule(RETRY); })
    .finally(() => { running = null; });
  return running;
}

form.addEventListener("input", changed);
form.addEventListener("focusout", (event) => {
  if (!form.contains(event.relatedTarget)) save();
});
document.addEventListener("visibilitychange", save); // on leaving, and on coming back from signing in elsewhere
window.addEventListener("pagehide", save);
window.addEventListener("online", save);
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});
// The button waits for a save that is under way: otherwise the page would seem to disagree with itself.
form.addEventListener("submit", (event) => {
  if (running) {
    event.preventDefault();
    event.stopPropagation();
    running.finally(() => form.requestSubmit(event.submitter));
    return;
  }
  clearTimeout(timer);
  leaving = true;
});
