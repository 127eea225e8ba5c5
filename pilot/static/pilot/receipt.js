"use strict";
// Compares files at hand with the digests of a receipt, on this machine alone.

const input = document.querySelector("#compare");
const result = document.querySelector(".compare-result");
const rows = [...document.querySelectorAll("[data-digest]")];

async function digest(file) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function compare() {
  const files = [...input.files];
  const digests = await Promise.all(files.map(digest));
  rows.forEach((row) => {
    row.querySelector(".tag").hidden = !digests.includes(row.dataset.digest);
  });
  const unknown = files.filter((_, index) => !rows.some((row) => row.dataset.digest === digests[index]));
  result.textContent = unknown.length
    ? result.dataset.different + unknown.map((file) => file.name).join(", ")
    : result.dataset.same;
}

// Browsers calculate digests on trusted origins only; elsewhere the choice is not offered.
if (window.crypto?.subtle) input.addEventListener("change", compare);
else input.closest(".field").hidden = true;
