"use strict";
// Uploads in pieces with progress, cancel and resume. Without this file each card is a plain form.

const zone = document.querySelector("[data-upload]");
const words = document.getElementById("upload-words").dataset;
const AT_ONCE = 2;
const TRIES = 4;
const waiting = [];
let running = 0;

class Refusal extends Error {}
class Cut extends Error {}

const headers = (more = {}) => ({
  Accept: "application/json",
  "X-CSRFToken": zone.querySelector("[data-token]").value,
  ...more,
});
const readable = (bytes) => (bytes < 1048576 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1048576).toFixed(1)} MB`);
// Until the time is over, the network is back, a hand does not want to wait, or all is given up.
const pause = (milliseconds, signal, button) => new Promise((resolve) => {
  const done = () => {
    clearTimeout(timer);
    window.removeEventListener("online", done);
    button.removeEventListener("click", done);
    resolve();
  };
  const timer = setTimeout(done, milliseconds);
  window.addEventListener("online", done);
  button.addEventListener("click", done);
  signal.addEventListener("abort", done);
});

// An answer of the server; a refusal speaks its words, a broken connection can be tried again.
async function ask(url, options, signal) {
  let answer;
  try {
    answer = await fetch(url, { ...options, signal, redirect: "manual" });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Cut();
  }
  if (answer.type === "opaqueredirect") throw new Refusal(words.ended);
  if (answer.status >= 500) throw new Cut();
  return answer;
}

async function told(answer) {
  if (answer.ok) return answer.json();
  const problem = await answer.json().catch(() => ({}));
  throw new Refusal(problem.detail || words.failed);
}

class Upload {
  constructor(card, file) {
    this.card = card;
    this.file = file;
    this.kind = card.dataset.kind;
    this.input = card.querySelector("input[type=file]");
    this.key = ["upload", zone.dataset.application, this.kind, file.name, file.size, file.lastModified].join(":");
    this.row = document.getElementById("upload-row").content.firstElementChild.cloneNode(true);
    this.part("name").textContent = file.name;
    this.part("size").textContent = readable(file.size);
    this.bar = this.row.querySelector("progress");
    this.bar.setAttribute("aria-label", file.name);
    this.part("cancel").addEventListener("click", () => this.cancel());
    this.part("resume").addEventListener("click", () => { if (this.stopped) this.enqueue(); });
    this.part("close").addEventListener("click", () => this.leave());
    card.querySelector("[data-list]").append(this.row);
  }

  part(name) { return this.row.querySelector(`[data-${name}]`); }

  say(text, tone = "") {
    this.part("state").textContent = text;
    this.row.dataset.tone = tone;
    if (tone) zone.querySelector("[data-live]").textContent = `${this.file.name} ${text}`;
  }

  show(received) {
    this.bar.value = this.file.size ? received / this.file.size : 0;
    this.say(`${words.sending} ${Math.floor(100 * this.bar.value)}%（${readable(received)}）`);
  }

  enqueue() {
    this.abort = new AbortController();
    this.stopped = false;
    this.hide("resume");
    this.say(words.waiting);
    waiting.push(this);
    next();
  }

  async run() {
    try {
      for (let attempt = 1; ; attempt += 1) {
        const before = this.received;
        try {
          return await this.send();
        } catch (error) {
          if (!(error instanceof Cut)) throw error;
          if (this.received > before) attempt = 1;
          this.say(words.cut, "warning");
          this.part("resume").hidden = false;
          this.stopped = attempt >= TRIES;
          if (this.stopped) return undefined;
          await pause(1000 * 2 ** attempt, this.abort.signal, this.part("resume"));
        }
      }
    } catch (error) {
      if (this.abort.signal.aborted) return undefined;
      this.fail(error instanceof Refusal ? error.message : words.failed);
      return undefined;
    }
  }

  // Ask how much has come (a cut, or a page opened anew), send the rest, have it checked.
  async send() {
    const { signal } = this.abort;
    let at = (await this.resumed(signal)) || (await this.begun(signal));
    localStorage.setItem(this.key, at.url);
    this.address = at.url;
    this.note(at);
    while (at.received < this.file.size) {
      const piece = this.file.slice(at.received, at.received + Number(zone.dataset.chunk));
      const answer = await ask(at.url, {
        method: "POST",
        headers: headers({ "Content-Type": "application/octet-stream", "Upload-Offset": at.received }),
        body: piece,
      }, signal);
      at = answer.status === 409 && answer.headers.has("Upload-Offset")
        ? { ...at, received: Number(answer.headers.get("Upload-Offset")) }
        : await told(answer);
      this.note(at);
    }
    this.say(words.checking);
    this.hide("cancel");
    const done = await told(await ask(at.finish, { method: "POST", headers: headers() }, signal));
    localStorage.removeItem(this.key);
    this.say(words.done, "success");
    this.settle(done.rows);
    this.card.querySelector("h2").append(this.mark());
  }

  // The keyboard does not fall out of the card because something in it goes.
  keeping(change) {
    const within = this.card.contains(document.activeElement);
    change();
    if (within && !this.card.contains(document.activeElement)) this.input.focus();
  }

  hide(name) { this.keeping(() => { this.part(name).hidden = true; this.part(name).blur(); }); }

  settle(rows) {
    this.keeping(() => {
      this.card.querySelector("[data-rows]").innerHTML = rows;
      this.row.remove();
    });
    if (!this.input.multiple) this.input.labels[0].textContent = words.replace;
  }

  mark() {
    this.card.querySelector("[data-mark]")?.remove();
    const mark = document.createElement("span");
    mark.dataset.mark = "";
    mark.className = "tag tag-success";
    mark.textContent = words.done;
    return mark;
  }

  note(at) {
    this.received = at.received;
    this.hide("resume");
    this.show(at.received);
    this.card.querySelector(`[data-unfinished="${at.url.split("/").at(-2)}"]`)?.remove();
  }

  async resumed(signal) {
    const url = localStorage.getItem(this.key);
    if (!url) return null;
    const answer = await ask(url, { headers: headers() }, signal);
    return answer.ok ? answer.json() : null;
  }

  async begun(signal) {
    const body = new URLSearchParams({ kind: this.kind, name: this.file.name, size: this.file.size });
    return told(await ask(zone.dataset.begin, { method: "POST", headers: headers(), body }, signal));
  }

  fail(text) {
    localStorage.removeItem(this.key);
    this.say(text, "danger");
    this.bar.hidden = true;
    this.part("close").hidden = false;
    this.hide("cancel");
  }

  async cancel() {
    this.abort.abort();
    const place = waiting.indexOf(this);
    if (place >= 0) waiting.splice(place, 1);
    localStorage.removeItem(this.key);
    this.leave();
    // If this does not get through either, the portal sweeps what nobody goes on with.
    if (this.address) await fetch(this.address, { method: "DELETE", headers: headers() }).catch(() => null);
  }

  leave() {
    this.row.remove();
    this.input.focus();
  }
}

async function next() {
  if (running >= AT_ONCE || waiting.length === 0) return;
  running += 1;
  await waiting.shift().run();
  running -= 1;
  next();
}

function take(card, files) {
  const chosen = card.querySelector("input[type=file]").multiple ? [...files] : [...files].slice(-1);
  for (const file of chosen) {
    const upload = new Upload(card, file);
    if (file.size === 0) upload.fail(words.empty);
    else if (file.size > Number(zone.dataset.max)) upload.fail(words.large);
    else upload.enqueue();
  }
}

function prepare(card) {
  const form = card.querySelector(".file-form");
  if (!form) return;
  const input = form.querySelector("input[type=file]");
  form.classList.add("file-ready");
  form.querySelector("button").hidden = true;
  form.querySelector(".file-drop").hidden = false;
  const chosen = () => {
    take(card, input.files);
    input.value = "";
  };
  input.addEventListener("change", chosen);
  if (input.files.length) chosen(); // chosen before this script was there
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const name of ["dragenter", "dragover"]) {
    card.addEventListener(name, (event) => {
      event.preventDefault();
      card.classList.add("file-over");
    });
  }
  for (const name of ["dragleave", "drop"]) {
    card.addEventListener(name, (event) => {
      event.preventDefault();
      card.classList.remove("file-over");
    });
  }
  card.addEventListener("drop", (event) => take(card, event.dataTransfer.files));
}

zone.querySelectorAll("[data-kind]").forEach(prepare);
// A file dropped beside the cards must not replace the page.
for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
window.addEventListener("beforeunload", (event) => {
  if (running > 0) event.preventDefault();
});
