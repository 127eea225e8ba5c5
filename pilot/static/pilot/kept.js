"use strict";
// What was typed outlives a session that ended (P12): it stays in this tab, for the same person on the same page, for an
// hour at most. Files, passwords and codes are never kept; signing out forgets everything.

const KEPT = "kept";
const LONGEST = 60 * 60 * 1000;
const SECRET = new Set(["password", "file", "hidden", "submit", "button", "image", "reset"]);
const here = location.pathname + location.search;
const { person } = document.body.dataset;

const postForms = () => [...document.querySelectorAll("main form[method=post]")];
const controls = (form) => [...form.elements].filter(
  (field) => field.name && !SECRET.has(field.type) && field.autocomplete !== "one-time-code",
);
const isTick = (field) => field.type === "checkbox" || field.type === "radio";

function changed(field) {
  if (isTick(field)) return field.checked !== field.defaultChecked;
  if (field.options) return [...field.options].some((option) => option.selected !== option.defaultSelected);
  return field.value !== field.defaultValue;
}

function valueOf(field) {
  if (isTick(field)) return field.checked;
  return field.options ? [...field.selectedOptions].map((option) => option.value) : field.value;
}

// A field is known by its form's place, its name and, for ticks, the value it stands for.
const nameOf = (field, place) => `${place}:${field.name}:${isTick(field) ? field.value : ""}`;

function everyField(visit) {
  postForms().forEach((form, place) => controls(form).forEach((field) => visit(field, nameOf(field, place))));
}

function keep() {
  const values = {};
  let dirty = false;
  everyField((field, name) => {
    dirty ||= changed(field);
    values[name] = valueOf(field);
  });
  if (dirty) sessionStorage.setItem(KEPT, JSON.stringify({ person, page: here, at: Date.now(), values }));
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function restore(values) {
  everyField((field, name) => {
    if (!(name in values) || same(valueOf(field), values[name])) return;
    if (isTick(field)) field.checked = values[name];
    else if (field.options) [...field.options].forEach((option) => { option.selected = values[name].includes(option.value); });
    else field.value = values[name];
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

function offer(values) {
  const bar = document.getElementById("kept");
  const close = () => { sessionStorage.removeItem(KEPT); bar.hidden = true; };
  bar.hidden = false;
  bar.querySelector("[data-restore]").addEventListener("click", () => { restore(values); close(); });
  bar.querySelector("[data-discard]").addEventListener("click", close);
}

// Another page, or word of success on this one, means that what was sent has arrived; a refusal, that it has not.
function lookBack() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) || "null");
  if (!kept || location.pathname.startsWith("/account/") || document.querySelector("main .problem")) return;
  let differs = false;
  everyField((field, name) => { differs ||= name in kept.values && !same(valueOf(field), kept.values[name]); });
  const mine = kept.person === person && kept.page === here && Date.now() - kept.at < LONGEST;
  if (mine && differs && !document.querySelector(".notice-success")) offer(kept.values);
  else sessionStorage.removeItem(KEPT);
}

document.addEventListener("submit", (event) => {
  if (event.target.action.includes("/account/logout/")) sessionStorage.removeItem(KEPT);
  else if (event.target.closest("main")) keep();
}, { capture: true });
document.addEventListener("session-end", keep);
lookBack();
