"use strict";
// A file sent in pieces: where it broke off it goes on, after a cut by itself, after a closed page when it is chosen again.
// Pages say what they show of it by extending PieceUpload.

const TRIES = 4;

class Refusal extends Error {}
class Cut extends Error {}

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
async function ask(url, options, signal, words) {
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

async function told(answer, words) {
  if (answer.ok) return answer.json();
  const problem = await answer.json().catch(() => ({}));
  throw new Refusal(problem.detail || words.failed);
}

class PieceUpload {
  // zone: the element whose data say where uploads begin and how large pieces are; it holds the token.
  // row: what is shown of this upload, with parts by their data attributes (state, resume).
  constructor(zone, row, words, file, key) {
    Object.assign(this, { zone, row, words, file, key });
    this.least = Number(zone.dataset.chunk);
    this.most = Number(zone.dataset.most || this.least);
    this.chunk = this.least;
    this.bar = row.querySelector("progress");
    this.bar.setAttribute("aria-label", file.name);
  }

  part(name) { return this.row.querySelector(`[data-${name}]`); }

  headers(more = {}) {
    return { Accept: "application/json", "X-CSRFToken": this.zone.querySelector("[data-token]").value, ...more };
  }

  say(text, tone = "") {
    this.part("state").textContent = text;
    this.row.dataset.tone = tone;
    if (tone) this.zone.querySelector("[data-live]").textContent = `${this.file.name} ${text}`;
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
          this.chunk = this.least;
          this.say(this.words.cut, "warning");
          this.part("resume").hidden = false;
          this.stopped = attempt >= TRIES;
          if (this.stopped) return undefined;
          await pause(1000 * 2 ** attempt, this.abort.signal, this.part("resume"));
        }
      }
    } catch (error) {
      if (this.abort.signal.aborted) return undefined;
      this.fail(error instanceof Refusal ? error.message : this.words.failed);
      return undefined;
    }
  }

  // Ask how much has come (a cut, or a page opened anew), send the rest, have it checked. Once all has come only the
  // last step is taken again: it may have been done, and its answer alone was lost.
  async send() {
    const { signal } = this.abort;
    let at = this.whole || (await this.resumed(signal)) || (await this.begun(signal));
    localStorage.setItem(this.key, at.url);
    this.address = at.url;
    this.note(at);
    while (at.received < this.file.size) {
      at = await this.sendPiece(at, signal);
      this.note(at);
    }
    this.say(this.words.checking);
    this.hide("cancel");
    const options = { method: "POST", headers: this.headers(), body: this.finishing() };
    const again = Boolean(this.whole);
    this.whole = at;
    const answer = await ask(at.finish, options, signal, this.words);
    if (again && [404, 409].includes(answer.status)) { // the portal knows nothing of it, or not all: as if opened anew
      this.whole = null;
      return this.send();
    }
    const done = await told(answer, this.words);
    localStorage.removeItem(this.key);
    return this.settle(done);
  }

  async sendPiece(at, signal) {
    const began = performance.now();
    const answer = await ask(at.url, {
      method: "POST",
      headers: this.headers({ "Content-Type": "application/octet-stream", "Upload-Offset": at.received }),
      body: this.file.slice(at.received, at.received + this.chunk),
    }, signal, this.words);
    if (answer.status === 409 && answer.headers.has("Upload-Offset")) {
      return { ...at, received: Number(answer.headers.get("Upload-Offset")) };
    }
    document.dispatchEvent(new Event("htmx:afterRequest")); // the session lives on; its warning starts afresh
    // A good line takes larger pieces; after a cut they are small again.
    if (performance.now() - began < 1000) this.chunk = Math.min(this.chunk * 2, this.most);
    return told(answer, this.words);
  }

  note(at) {
    this.received = at.received;
    this.hide("resume");
    this.show(at.received);
  }

  show(received) {
    this.bar.value = this.file.size ? received / this.file.size : 0;
    this.say(`${this.words.sending} ${Math.floor(100 * this.bar.value)}%（${readable(received)}）`);
  }

  hide(name) { this.part(name).hidden = true; }

  async resumed(signal) {
    const url = localStorage.getItem(this.key);
    if (!url) return null;
    const answer = await ask(url, { headers: this.headers() }, signal, this.words);
    return answer.ok ? answer.json() : null;
  }

  async begun(signal) {
    const options = { method: "POST", headers: this.headers(), body: this.beginning() };
    return told(await ask(this.zone.dataset.begin, options, signal, this.words), this.words);
  }

  // If this does not get through, the portal sweeps what nobody goes on with.
  async giveUp() {
    this.abort.abort();
    localStorage.removeItem(this.key);
    if (this.address) await fetch(this.address, { method: "DELETE", headers: this.headers() }).catch(() => null);
  }
}
