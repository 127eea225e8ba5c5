// The interactive description of the API; everything it loads comes from the portal itself.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("explorer");
  SwaggerUIBundle({
    domNode: place,
    url: `${place.dataset.schema}?format=json`,
    deepLinking: true,
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis],
    // The page has a title of its own.
    plugins: [() => ({ wrapComponents: { InfoContainer: () => () => null } })],
    onComplete: () => {
      for (const label of place.querySelectorAll(".btn.authorize > span")) label.textContent = place.dataset.authorize;
      // A group is called by what is said of it: its name is for programs and the same in every language.
      for (const group of place.querySelectorAll(".opblock-tag")) {
        const said = group.querySelector("small");
        if (!said?.textContent) continue;
        group.querySelector("a > span").textContent = said.textContent;
        said.hidden = true;
      }
    },
  });
});
