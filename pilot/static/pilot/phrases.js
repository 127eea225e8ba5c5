"use strict";
// Beside every text of a form that is handed in: a button that puts a standing phrase where the cursor is.
const dialog = document.getElementById("phrase-dialog");
let target;

function insert(text) {
  target.setRangeText(text, target.selectionStart, target.selectionEnd, "end");
  target.dispatchEvent(new Event("input", { bubbles: true }));
  dialog.close();
  target.focus();
}

async function choose(field) {
  target = field;
  const answer = await fetch(dialog.dataset.phrases);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const rows = [...page.querySelectorAll("[data-phrase]")].map(({ textContent }) => {
    const row = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "drop-item";
    button.textContent = textContent;
    button.onclick = () => insert(textContent);
    row.append(button);
    return row;
  });
  dialog.querySelector("[data-phrase-body]").replaceChildren(...rows);
  dialog.showModal();
}

const offered = location.pathname === dialog.dataset.phrases ? [] : document.querySelectorAll("main form[method=post] textarea");
for (const field of offered) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "tool phrase-button";
  button.textContent = dialog.querySelector("h2").textContent;
  button.onclick = () => choose(field).catch(() => location.assign(dialog.dataset.phrases));
  field.before(button); // so that Tab leads from the text on to the button that hands it in
}
