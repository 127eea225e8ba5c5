"use strict";
// Ticks whole regions at once. Without this file every box is ticked by hand; the server sees no difference.

const boxesOf = (group) => [...group.querySelectorAll("input[name]")];

function showWhole() {
  document.querySelectorAll("[data-boxes]").forEach((group) => {
    const boxes = boxesOf(group);
    const ticked = boxes.filter((box) => box.checked).length;
    const whole = group.querySelector("[data-all]");
    whole.checked = ticked === boxes.length;
    whole.indeterminate = ticked > 0 && ticked < boxes.length;
  });
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-all]")) {
    boxesOf(event.target.closest("[data-boxes]")).forEach((box) => { box.checked = event.target.checked; });
  }
  showWhole();
});
window.addEventListener("pageshow", showWhole);
