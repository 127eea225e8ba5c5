"use strict";
// Keys of the inspector's page. Without this file every verdict is a form like any other.

const form = document.querySelector("[data-inspect]");
if (form) {
  const help = document.getElementById("inspect-help");
  const remark = document.getElementById("remark");
  const fields = [...form.querySelectorAll("[data-field]")];
  const right = form.querySelector("[data-right]");
  const wrong = form.querySelector("[data-wrong]");
  const unmask = form.querySelector("[data-unmask]");
  const none = form.querySelector("[data-none]");
  const keysBox = help.querySelector("[data-keys-on]");

  keysBox.checked = localStorage.getItem("review-keys") !== "off";
  keysBox.addEventListener("change", () => localStorage.setItem("review-keys", keysBox.checked ? "on" : "off"));
  document.querySelector("[data-help]").addEventListener("click", () => help.showModal());

  // No fault without saying where.
  form.addEventListener("submit", (event) => {
    none.hidden = event.submitter !== wrong || fields.some((field) => field.checked);
    if (!none.hidden) event.preventDefault();
  });

  const step = (by) => {
    const here = fields.indexOf(document.activeElement);
    const next = fields[here < 0 ? (by > 0 ? 0 : fields.length - 1) : here + by];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  };
  // What is barred until the content is shown leads to showing it.
  const reach = (button) => (button.disabled ? unmask : button).focus();
  const KEYS = {
    a: () => reach(right),
    n: () => step(1),
    p: () => step(-1),
    x: () => { if (fields.includes(document.activeElement)) document.activeElement.click(); else step(1); },
    r: () => remark.focus(),
    s: () => reach(wrong),
    u: () => unmask?.click(),
    "?": () => help.showModal(),
  };
  const typing = (target) => target.closest('input:not([type="checkbox"]), select, textarea, [contenteditable]');
  document.addEventListener("keydown", (event) => {
    if (event.target === remark && event.ctrlKey && event.key === "Enter") return wrong.disabled ? reach(wrong) : form.requestSubmit(wrong);
    if (!keysBox.checked || help.open || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (!Object.hasOwn(KEYS, event.key)) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  if ([document.body, document.getElementById("main")].includes(document.activeElement)) fields[0]?.focus({ preventScroll: true });
}
