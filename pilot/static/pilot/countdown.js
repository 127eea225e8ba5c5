"use strict";
// Ticks on from what the server wrote: how long there is left comes from its clock, how long has passed since from a
// counter that no setting of this machine's clock moves. The page works without; at the bell it is fetched anew.
// Where somebody writes or uploads (data-kept), only the strip with the countdown is: nothing on the page is lost.

const SECOND = 1000;
const STALE = 30 * SECOND; // a page that slept this long asks the server again
let bases = [];
let last = performance.now();
let ticking = 0;

function start() {
  const now = performance.now();
  bases = [...document.querySelectorAll("[data-countdown]")].map((node) => ({
    node,
    until: now + Number(node.dataset.countdown),
  }));
  last = now;
}

function show(node, left) {
  const total = Math.max(0, Math.ceil(left / SECOND));
  const parts = {
    days: Math.floor(total / 86400),
    hours: Math.floor(total / 3600) % 24,
    minutes: Math.floor(total / 60) % 60,
    seconds: total % 60,
  };
  for (const [name, value] of Object.entries(parts)) {
    node.querySelector(`[data-part="${name}"]`).textContent = value;
  }
}

function run() {
  clearInterval(ticking);
  start();
  if (bases.length) ticking = setInterval(tick, SECOND);
}

// Without an answer the strip stays as it is; nothing asks again by itself. Where the page leads elsewhere by now, what
// it says there stands in the place of the strip.
async function renew() {
  const strip = document.querySelector("[data-kept]");
  if (!strip) return window.location.reload();
  const answer = await fetch(window.location.href, { headers: { "X-Poll": "1" } }).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector(".bell") ?? page.querySelector("main .notice");
  if (!fresh) return;
  fresh.dataset.kept = "";
  strip.replaceWith(fresh);
  document.querySelector("[data-kept-said]").textContent = fresh.querySelector("p").textContent;
  run();
}

// Many wait for the same bell; they do not all come back in the same moment.
function renewSoon() {
  clearInterval(ticking);
  bases.forEach(({ node }) => show(node, 0));
  setTimeout(renew, Math.random() * 3 * SECOND);
}

function tick() {
  if (document.hidden) return; // browsers slow hidden pages down
  const now = performance.now();
  if (bases.some(({ until }) => until <= now)) return renewSoon();
  bases.forEach(({ node, until }) => show(node, until - now));
  last = now;
}

window.addEventListener("pageshow", (event) => {
  if (event.persisted) renew();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && performance.now() - last > STALE) renew();
});
run();
