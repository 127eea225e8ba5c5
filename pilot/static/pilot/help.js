"use strict";
// The "?" of a page opens its help in a dialog; without this file it is a link to the same text.
const dialog = document.getElementById("help-dialog");

async function showHelp(mark) {
  const answer = await fetch(mark.href);
  const topic = new DOMParser().parseFromString(await answer.text(), "text/html");
  const body = topic.querySelector(".help-topic");
  if (!answer.ok || !body) return location.assign(mark.href);
  dialog.querySelector("#help-title").textContent = topic.querySelector("h1").textContent;
  dialog.querySelector("[data-help-body]").replaceChildren(...body.childNodes);
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const mark = event.target.closest("[data-explain]");
  if (!mark || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  showHelp(mark).catch(() => location.assign(mark.href));
});
