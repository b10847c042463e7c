/** What the theme leaves out: names for what it adds to examples, and keys to scroll them and tables with. */
"use strict";

function mend() {
  document.querySelectorAll("nav.md-code__nav:not([aria-label])").forEach((bar, place) => {
    bar.setAttribute("aria-label", `Example ${place + 1}`);
  });
  const scrolled = "pre > code:not([tabindex]), .md-typeset__scrollwrap:not([tabindex])";
  for (const part of document.querySelectorAll(scrolled)) part.setAttribute("tabindex", "0");
}

new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
mend();
