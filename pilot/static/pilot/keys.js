"use strict";
// Buttons that use a security key wait until the page can answer them, and a key that failed is told in words.

const FAILURES = { NotAllowedError: "refused", InvalidStateError: "known" };
const told = document.getElementById("key-failed");

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("button[data-key]").forEach((button) => { button.disabled = false; });
});
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  told.textContent = told.dataset[FAILURES[event.detail.exception.name] ?? "failed"];
  told.hidden = false;
});
