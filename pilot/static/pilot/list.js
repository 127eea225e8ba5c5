"use strict";
// Comforts of a list: how many rows are ticked, all of a page at once, the columns a spreadsheet takes along.
// Without this file the same forms are sent; the server decides what they mean.

const picks = () => [...document.querySelectorAll("#list input[name=pick]")];
const whole = () => document.querySelector(".batch-bar input[name=all]");

function countPicks() {
  const shown = document.querySelector("[data-picked]");
  if (!shown) return;
  const boxes = picks();
  const ticked = boxes.filter((box) => box.checked).length;
  const page = document.querySelector("[data-pick-page]");
  shown.textContent = whole().checked ? whole().dataset.total : String(ticked);
  boxes.forEach((box) => { box.disabled = whole().checked; });
  if (!page) return;
  page.disabled = whole().checked;
  page.checked = boxes.length > 0 && ticked === boxes.length;
  page.indeterminate = ticked > 0 && ticked < boxes.length;
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-pick-page]")) {
    picks().forEach((box) => { box.checked = event.target.checked; });
  }
  if (event.target.matches("[data-pick-page], input[name=pick], .batch-bar input[name=all]")) countPicks();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-pick-none]")) return;
  picks().forEach((box) => { box.checked = false; });
  whole().checked = false;
  countPicks();
});

// A list is taken away with the columns that show.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!("download" in form.dataset)) return;
  const panel = document.querySelector("[data-columns]");
  if (panel) {
    const shown = [...panel.querySelectorAll("input")].filter((box) => box.checked).map((box) => box.value);
    form.elements.columns.value = [panel.dataset.first, ...shown].join(",");
  }
});

// What a filter or a page turned in place has brought is said to whoever does not see it.
function tell() {
  const place = document.getElementById("list-told");
  if (place) place.textContent = document.querySelector("#list .toolbar-total")?.textContent ?? "";
}

document.addEventListener("htmx:afterSettle", () => { countPicks(); tell(); });
window.addEventListener("pageshow", countPicks);
