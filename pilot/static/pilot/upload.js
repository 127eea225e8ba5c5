"use strict";
// The cards of the page of files, each of which takes uploads (pieces.js). Without this file each card is a plain form.

const zone = document.querySelector("[data-upload]");
const words = document.getElementById("upload-words").dataset;
const AT_ONCE = 2;
const waiting = [];
const live = new Map(); // key → the upload of that file, until it is done, refused or left
let running = 0;

class Upload extends PieceUpload {
  constructor(card, file, key) {
    const row = document.getElementById("upload-row").content.firstElementChild.cloneNode(true);
    super(zone, row, words, file, key);
    this.card = card;
    this.kind = card.dataset.kind;
    this.input = card.querySelector("input[type=file]");
    this.part("name").textContent = file.name;
    this.part("size").textContent = readable(file.size);
    this.part("cancel").addEventListener("click", () => this.cancel());
    this.part("resume").addEventListener("click", () => { if (this.stopped) this.enqueue(); });
    this.part("close").addEventListener("click", () => this.leave());
    card.querySelector("[data-list]").append(row);
  }

  enqueue() {
    live.set(this.key, this);
    this.abort = new AbortController();
    this.stopped = false;
    this.bar.hidden = false;
    this.part("cancel").hidden = false;
    this.part("close").hidden = true;
    this.hide("resume");
    this.say(words.waiting);
    waiting.push(this);
    next();
  }

  beginning() { return new URLSearchParams({ kind: this.kind, name: this.file.name, size: this.file.size }); }

  finishing() { return undefined; }

  // The keyboard does not fall out of the card because something in it goes, nor does the card leave the screen
  // because something above it grows.
  keeping(change) {
    const within = this.card.contains(document.activeElement);
    change();
    if (!within) return;
    if (!this.card.contains(document.activeElement)) this.input.focus();
    document.activeElement.scrollIntoView({ block: "nearest" });
  }

  hide(name) { this.keeping(() => { super.hide(name); this.part(name).blur(); }); }

  settle(done) {
    live.delete(this.key);
    this.say(words.done, "success");
    this.keeping(() => {
      this.card.querySelector("[data-rows]").innerHTML = done.rows;
      this.row.remove();
    });
    if (!this.input.multiple) this.input.labels[0].textContent = words.replace;
    this.card.querySelector("h2").append(this.mark());
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
    super.note(at);
    this.card.querySelector(`[data-unfinished="${at.url.split("/").at(-2)}"]`)?.remove();
  }

  // What a rule refuses is refused again; a session that ended or an answer nobody foresaw can be tried once more.
  fail(text) {
    this.stopped = text === words.ended || text === words.failed;
    if (!this.stopped) {
      live.delete(this.key);
      localStorage.removeItem(this.key);
    }
    this.say(text, "danger");
    this.bar.hidden = true;
    this.part("resume").hidden = !this.stopped;
    this.part("close").hidden = false;
    this.hide("cancel");
  }

  async cancel() {
    const place = waiting.indexOf(this);
    if (place >= 0) waiting.splice(place, 1);
    this.leave();
    await this.giveUp();
  }

  leave() {
    live.delete(this.key);
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
    const { kind } = card.dataset;
    const key = ["upload", zone.dataset.application, kind, file.name, file.size, file.lastModified].join(":");
    const begun = live.get(key);
    if (begun) { // two of one file would share its pieces, and giving up one would take them from the other
      begun.part("resume").click();
      continue;
    }
    const upload = new Upload(card, file, key);
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
