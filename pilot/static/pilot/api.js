"use strict";
// Copy buttons beside keys and examples. Without this file the text can still be selected and copied by hand.

// Outside a secure context (plain HTTP inside an office) there is no clipboard interface; selecting still works.
async function copyText(source) {
  if (navigator.clipboard) return navigator.clipboard.writeText(source.value ?? source.textContent);
  if (source.select) source.select();
  else getSelection().selectAllChildren(source);
  if (!document.execCommand("copy")) throw new Error("not copied");
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy-from]");
  if (!button) return;
  const label = button.querySelector("span");
  const before = label.textContent;
  try {
    await copyText(document.getElementById(button.dataset.copyFrom));
  } catch {
    return;  // the text is selected; the reader copies it
  }
  label.textContent = button.dataset.done;
  const status = document.querySelector("[data-copy-status]");
  if (status) status.textContent = button.dataset.done;
  setTimeout(() => { label.textContent = before; }, 2000);
});
