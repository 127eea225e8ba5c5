"use strict";
// Sums up what is typed, and marks points below the least that the catalogue demands. The server does both again.

const sheet = document.querySelector("form.scoring");
const points = [...sheet.querySelectorAll("[data-score]")];
const total = sheet.querySelector("[data-total]");
const low = sheet.querySelector("[data-low]");
const removed = (input) => Boolean(input.closest("tr").querySelector('[name$="-remove"]:checked'));

function sum() {
  const typed = points.filter((input) => input.value.trim() !== "" && !removed(input));
  total.textContent = typed.length ? typed.reduce((all, input) => all + Number(input.value), 0) : "--";
  points.forEach((input) => {
    const below = input.value.trim() !== "" && Number(input.value) < Number(input.dataset.least);
    input.closest("tr").classList.toggle("below", below);
  });
  if (low) low.hidden = !sheet.querySelector("tr.below");
}

sheet.addEventListener("input", sum);
// Enter in a row goes on to the points of the next one: a sheet is not handed in by a slip.
sheet.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("input")) return;
  event.preventDefault();
  const row = event.target.closest("tr");
  const next = points[points.findIndex((input) => input.closest("tr") === row) + 1];
  (next || sheet.querySelector("textarea"))?.focus();
});
sum();
