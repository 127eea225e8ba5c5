"use strict";
// Comforts on top of pages that work without this file. Nothing here decides; the server does.

const YEAR = 365 * 24 * 3600;

// A form is sent once: a second click is ignored until the page is shown again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return; // what a page itself held back was not sent
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-disabled", "true");
});
// A download leaves the page as it is: what an earlier try was told is gone, and the form may be sent again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!("download" in form.dataset)) return;
  const prefix = form.querySelector(".field-errors .visually-hidden")?.textContent; // as before the page's title
  if (prefix) document.title = document.title.replace(prefix, "");
  document.querySelectorAll(".error-summary, .field-errors").forEach((told) => told.remove());
  form.querySelectorAll(".has-errors").forEach((field) => field.classList.remove("has-errors"));
  form.querySelectorAll("[aria-invalid]").forEach((control) => control.removeAttribute("aria-invalid"));
  setTimeout(() => {
    delete form.dataset.sent;
    form.querySelector("button").removeAttribute("aria-disabled");
  }, 2000);
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  document.querySelectorAll("button[aria-disabled]").forEach((button) => button.removeAttribute("aria-disabled"));
});

// Display choices live in cookies, so the server sends the page in its final shape; signed in, the account keeps them too.
const preferenceClass = (button) => `${button.dataset.prefer}-${button.dataset.value}`;
function showPreferences() {
  document.querySelectorAll("[data-prefer]").forEach((button) => {
    button.setAttribute("aria-pressed", document.documentElement.classList.contains(preferenceClass(button)));
  });
}
let keeping = Promise.resolve(); // one after the other, so that the account keeps the last switch
function togglePreference(button) {
  const on = document.documentElement.classList.toggle(preferenceClass(button));
  const value = on ? button.dataset.value : "off";
  document.cookie = `ui-${button.dataset.prefer}=${value}; path=/; max-age=${YEAR}; samesite=lax`;
  showPreferences();
  keeping = keeping.then(keepWithAccount, keepWithAccount);
}
async function keepWithAccount() {
  const address = document.querySelector("[data-display]")?.dataset.display;
  const token = document.querySelector("[name=csrfmiddlewaretoken]");
  if (!address || !token) return;
  const body = new URLSearchParams({ csrfmiddlewaretoken: token.value });
  document.documentElement.classList.forEach((name) => body.append("on", name));
  const answer = await fetch(address, { method: "POST", body, keepalive: true });
  if (answer.ok) document.dispatchEvent(new Event("htmx:afterRequest"));
}

// A browser names its file control in its own language; the portal's words lie over it, the control keeps focus and keys.
function faceOfFiles(face) {
  const input = face.parentNode.querySelector("input[type=file]");
  const tell = () => {
    face.querySelector("[data-chosen]").textContent = [...input.files].map((file) => file.name).join("、") || face.dataset.none;
  };
  input.addEventListener("change", tell);
  window.addEventListener("pageshow", tell);
  face.hidden = false;
  tell();
}

async function copyNumber(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  button.setAttribute("aria-pressed", "true");
}

document.addEventListener("click", (event) => {
  const prefer = event.target.closest("[data-prefer]");
  const copy = event.target.closest("[data-copy]");
  if (prefer) togglePreference(prefer);
  if (copy) copyNumber(copy);
  if (event.target.closest("[data-print]")) window.print();
  document.querySelectorAll("details.drop[open]").forEach((drop) => {
    if (!drop.contains(event.target)) drop.open = false;
  });
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.querySelectorAll("details.drop[open]").forEach((drop) => {
    drop.open = false;
    drop.querySelector("summary").focus();
  });
});

// Column choices of a list, kept per list in this browser.
function applyColumns() {
  const panel = document.querySelector("[data-columns]");
  const table = document.querySelector("#list .grid");
  if (!panel) return;
  const first = table?.querySelector("th.pick") ? 3 : 2; // the first column always shows, and so do ticks
  const store = `columns:${panel.dataset.columns}`;
  const hidden = new Set(JSON.parse(localStorage.getItem(store) || "[]"));
  panel.querySelectorAll("input").forEach((box, index) => {
    const show = (on) => table?.querySelectorAll(`tr > :nth-child(${index + first})`).forEach((item) => { item.hidden = !on; });
    box.checked = !hidden.has(box.value);
    show(box.checked);
    box.onchange = () => {
      if (box.checked) hidden.delete(box.value); else hidden.add(box.value);
      localStorage.setItem(store, JSON.stringify([...hidden]));
      show(box.checked);
    };
  });
}

// What is folded on a phone only stands open where there is room; a browser that the style sheet cannot tell is told here.
const roomy = matchMedia("print, (min-width: 768px)");
function openFolds() {
  if (CSS.supports("selector(::details-content)") || !roomy.matches) return;
  document.querySelectorAll("details.fold").forEach((fold) => { fold.open = true; });
}

// The picture of a machine that is wider than the screen begins at the state the case is in.
function showState(drawing) {
  const state = drawing.querySelector(".state-current");
  if (!state) return;
  const [inner, outer] = [state.getBoundingClientRect(), drawing.getBoundingClientRect()];
  drawing.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
}

// Whoever signs in again, in another window, gets a new token; a page that is still open takes it over.
async function renewToken() {
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  const token = page.querySelector("main [name=csrfmiddlewaretoken]");
  if (!token || page.body.dataset.person !== document.body.dataset.person) return false;
  document.querySelectorAll("[name=csrfmiddlewaretoken]").forEach((field) => { field.value = token.value; });
  return true;
}

// Warn two minutes before the session ends; an act in one tab keeps all tabs alive.
function watchSession() {
  const dialog = document.getElementById("session-dialog");
  const { session, keepalive } = document.body.dataset;
  if (!dialog) return;
  const tabs = new BroadcastChannel("session");
  let warning;
  let end;
  const leave = () => {
    document.dispatchEvent(new Event("session-end")); // what was typed is kept (kept.js)
    location.reload();
  };
  const restart = () => {
    clearTimeout(warning);
    clearTimeout(end);
    if (dialog.open) dialog.close();
    warning = setTimeout(() => dialog.showModal(), (session - 120) * 1000);
    end = setTimeout(leave, (Number(session) + 1) * 1000);
  };
  tabs.onmessage = restart;
  const alive = () => { restart(); tabs.postMessage("alive"); };
  dialog.querySelector("[data-keep]").addEventListener("click", async () => {
    const answer = await fetch(keepalive, { method: "HEAD" });
    if (answer.ok && !answer.url.includes("/account/login/")) alive(); else leave();
  });
  // A page that only waits for a job asks by itself; that keeps nobody signed in (polling.py). Scripts that save or send
  // files by themselves (form.js, pieces.js) tell of it by the same event, without any detail.
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (!("X-Poll" in (detail?.requestConfig.headers ?? {}))) alive();
  });
  alive();
}

// A list that cannot be refreshed in place (logged out, error, no network) is opened as a page of its own.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, pathInfo, target } = event.detail;
  if (target.id !== "list") return;
  if (xhr.status === 200 && xhr.responseText.includes('id="list"')) return;
  event.detail.shouldSwap = false;
  location.assign(pathInfo.finalRequestPath);
});
document.addEventListener("htmx:sendError", (event) => {
  if (event.detail.target.id === "list") location.assign(event.detail.pathInfo.finalRequestPath);
});
document.addEventListener("htmx:afterSettle", () => { showPreferences(); applyColumns(); openFolds(); });

document.querySelectorAll("[data-copy]").forEach((button) => { button.hidden = !navigator.clipboard; });
document.querySelectorAll(".file-face").forEach(faceOfFiles);
document.querySelectorAll(".drawing").forEach(showState);
document.querySelectorAll("details.fold").forEach((fold) => {
  fold.addEventListener("toggle", () => fold.querySelectorAll(".drawing").forEach(showState));
});
openFolds();
roomy.addEventListener("change", openFolds);
showPreferences();
applyColumns();
watchSession();

// Where one is stands in sight in a menu that is longer than the screen.
document.querySelectorAll(".menu-roll:has([aria-current])").forEach((roll) => {
  roll.scrollTop = roll.querySelector("[aria-current]").offsetTop - roll.clientHeight / 2;
});
