"use strict";
// Keys of the opinion's page. Without this file every link and field works as it is.

const desk = document.querySelector("[data-opinion]");
const keyHelp = document.getElementById("opinion-help");
const keysOn = keyHelp.querySelector("[data-keys-on]");
keysOn.checked = localStorage.getItem("review-keys") !== "off";
keysOn.addEventListener("change", () => localStorage.setItem("review-keys", keysOn.checked ? "on" : "off"));
document.querySelector("[data-help]").addEventListener("click", () => keyHelp.showModal());

const cards = () => [...desk.querySelectorAll("[data-condition]")];
const undecided = (card) => card.querySelector('[type="radio"]') && !card.querySelector('[type="radio"]:checked');
const hereCard = () => document.activeElement?.closest("[data-condition]") || cards().find(undecided) || cards()[0];
function goToCard(card) {
  if (!card) return;
  (card.querySelector('[type="radio"]:checked') || card.querySelector('[type="radio"]') || card.querySelector("a"))?.focus();
  card.scrollIntoView({ block: "nearest" });
}
function judge(number) {
  const radio = hereCard()?.querySelectorAll('[type="radio"]')[number - 1];
  if (!radio) return;
  radio.checked = true;
  radio.focus();
}
const acts = {
  j: () => desk.querySelector('[data-key="j"]')?.click(),
  k: () => desk.querySelector('[data-key="k"]')?.click(),
  n: () => goToCard(document.activeElement?.closest("[data-condition]") ? cards()[cards().indexOf(hereCard()) + 1] : hereCard()),
  p: () => goToCard(cards()[cards().indexOf(hereCard()) - 1]),
  o: () => hereCard()?.querySelector('a[target="material"]')?.click(),
  1: () => judge(1),
  2: () => judge(2),
  3: () => judge(3),
  "?": () => keyHelp.showModal(),
};
// Never while something is typed, and only while the keys are switched on (WCAG 2.1.4).
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest('input:not([type="radio"]), textarea, select, dialog');
  if (typing || event.ctrlKey || event.altKey || event.metaKey || !keysOn.checked || !acts[event.key]) return;
  event.preventDefault();
  acts[event.key]();
});
