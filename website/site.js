/** What the theme leaves out: names for what it adds to examples, and keys to scroll them with. */
"use strict";

function mend() {
  document.querySelectorAll("nav.md-code__nav:not([aria-label])").forEach((bar, place) => {
    bar.setAttribute("aria-label", `Example ${place + 1}`);
  });
  for (const code of document.querySelectorAll("pre > code:not([tabindex])")) {
    code.setAttribute("tabindex", "0");
  }
}

new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
mend();
