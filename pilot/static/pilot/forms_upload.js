"use strict";
// Hands in a file of forms in pieces (pieces.js). Without this file the page is a plain form.

const form = document.getElementById("upload-form");
const words = document.getElementById("upload-words").dataset;
const input = form.querySelector("input[type=file]");
const send = form.querySelector("[data-send]");
const row = form.querySelector("[data-row]");
const drop = form.querySelector("[data-zone]");
const HEAD = 262144;
const MILESTONE = 25;
const SLOWLY = 30000;
const ENDINGS = /\.(ndjson|jsonl|json|csv|xlsx|xml)(\.(gz|zip))?$|\.(gz|zip)$/i;
// Beginnings of files that are surely none of ours: old Office, PDF, RAR, 7-Zip.
const OTHERS = ["d0cf11e0", "25504446", "52617221", "377abcaf"];
let sending = null;
let chosen = null;

function tell(name, text) {
  const place = form.querySelector(`[data-${name}]`);
  place.textContent = text;
  place.hidden = !text;
  if (name === "fault") input.setAttribute("aria-invalid", String(Boolean(text)));
}

class FormsUpload extends PieceUpload {
  constructor(file) {
    const key = ["upload", "forms", file.name, file.size, file.lastModified].join(":");
    super(form, row, words, file, key);
    this.abort = new AbortController();
    this.told = 0;
    this.part("name").textContent = file.name;
    this.part("size").textContent = readable(file.size);
    this.part("resume").hidden = true;
    this.part("cancel").hidden = false;
    this.bar.hidden = false;
    this.bar.value = 0;
    row.hidden = false;
    send.disabled = true;
  }

  beginning() {
    const { name, size, lastModified } = this.file;
    return new URLSearchParams({ name, size, modified: lastModified });
  }

  finishing() {
    const choices = new FormData(form);
    choices.delete("file");
    return choices;
  }

  show(received) {
    const now = performance.now();
    this.bar.value = received / this.file.size;
    if (this.from === undefined || received < this.from.received) this.from = { now, received };
    const speed = (received - this.from.received) / (now - this.from.now);
    const percent = Math.floor(100 * this.bar.value);
    const left = speed > 0 ? ` · ${words.left} ${this.duration((this.file.size - received) / speed / 1000)}` : "";
    const again = speed > 0 || !received ? "" : ` · ${words.going}`;
    this.say(`${words.sending} ${readable(received)} / ${readable(this.file.size)}（${percent}%）${left}${again}`);
    if (percent >= this.told + MILESTONE) {
      this.told = percent - (percent % MILESTONE);
      form.querySelector("[data-live]").textContent = `${words.sending} ${this.told}%`;
    }
  }

  duration(seconds) {
    const rounded = Math.max(1, Math.ceil(seconds));
    return rounded < 60
      ? `${rounded} ${words.seconds}`
      : `${Math.floor(rounded / 60)} ${words.minutes} ${rounded % 60} ${words.seconds}`;
  }

  settle(done) {
    sending = null;
    location.assign(done.url);
  }

  fail(text) {
    sending = null;
    row.hidden = true;
    send.disabled = false;
    tell("fault", text);
    input.focus();
  }
}

// However often the line breaks: after a few tries the next ones come more slowly, or when a hand asks for one.
async function start() {
  const upload = new FormsUpload(chosen);
  sending = upload;
  do {
    upload.stopped = false;
    await upload.run();
    if (upload.stopped) await pause(SLOWLY, upload.abort.signal, upload.part("resume"));
  } while (upload.stopped && !upload.abort.signal.aborted);
}

// What can be told of a file before it is sent.
async function judge(file) {
  if (!file.size) return words.empty;
  if (file.size > Number(form.dataset.max)) return words.large;
  const head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  const first = [...head.slice(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (OTHERS.includes(first) || !ENDINGS.test(file.name)) return words.type;
  if (/\.csv$/i.test(file.name) && form.elements.encoding.value === "utf-8") {
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: file.size > HEAD });
    } catch {
      form.elements.encoding.value = "gbk";
      tell("noted", words.gbk);
    }
  }
  return "";
}

async function choose(file) {
  chosen = null;
  tell("noted", "");
  const fault = await judge(file);
  tell("fault", fault);
  if (!fault) chosen = file;
}

let judging = Promise.resolve();
const taken = () => { if (input.files.length) judging = choose(input.files[0]); };
input.addEventListener("change", taken);
taken(); // chosen before this script was there

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  event.stopPropagation(); // the form may be sent again after a fault
  await judging;
  if (sending) return; // a second press, also one that came while the file was being judged
  if (!chosen) {
    if (!input.files.length) tell("fault", words.none);
    input.focus();
    return;
  }
  tell("fault", "");
  await start();
});

row.querySelector("[data-cancel]").addEventListener("click", async () => {
  const upload = sending;
  sending = null;
  row.hidden = true;
  send.disabled = false;
  input.focus();
  await upload.giveUp();
});

form.querySelectorAll("[data-unfinished]").forEach((note) => {
  note.querySelector("[data-drop]").addEventListener("click", async () => {
    const headers = { Accept: "application/json", "X-CSRFToken": form.querySelector("[data-token]").value };
    await fetch(note.dataset.unfinished, { method: "DELETE", headers }).catch(() => null);
    note.remove();
    input.focus();
  });
});

for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, () => drop.classList.add("forms-over"));
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("forms-over"));
drop.addEventListener("drop", (event) => {
  if (sending || !event.dataTransfer.files.length) return;
  const files = new DataTransfer(); // one file, as the input takes it
  files.items.add(event.dataTransfer.files[0]);
  input.files = files.files;
  input.dispatchEvent(new Event("change"));
});
// A file dropped beside the zone must not replace the page.
for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
window.addEventListener("beforeunload", (event) => {
  if (sending) event.preventDefault();
});
