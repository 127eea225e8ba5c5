"use strict";
// While a subject is typed, the list beside it shows published answers like it. Without this file it shows the newest.

const list = document.querySelector("[data-similar]");
const subject = list && document.getElementById(list.dataset.subject);
let waiting = 0;
let asked = 0;

async function look() {
  const mine = ++asked;
  const response = await fetch(`${list.dataset.similar}?${new URLSearchParams({ similar: subject.value })}`);
  if (!response.ok || mine !== asked) return;
  const found = new DOMParser().parseFromString(`<ul>${await response.text()}</ul>`, "text/html");
  list.replaceChildren(...found.querySelectorAll("li"));
}

if (subject) {
  subject.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(look, 300);
  });
}
