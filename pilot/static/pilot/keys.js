"use strict";
// Buttons that use a security key wait until the page can answer them, and a key that failed is told in words.

const FAILURES = { NotAllowedError: "refused", InvalidStateError: "known" };
const told = document.getElementById("key-failed");

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("button[data-key]").forEach((button) => { button.disabled = false; });
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-key]")) told.hidden = true;
}, { capture: true }); // before the button's own listener, which may fail at once
document.addEventListener("allauth.error", (event) => {
  const failure = FAILURES[event.detail.exception.name];
  if (failure) event.preventDefault(); // else the console keeps what nobody expected
  told.textContent = told.dataset[failure ?? "failed"];
  told.hidden = false;
});
