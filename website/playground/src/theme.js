/** Light or dark: as the system says, until a person says otherwise. */
const system = matchMedia("(prefers-color-scheme: dark)");

/** Whether the page is dark. */
export const dark = () => document.documentElement.dataset.theme === "dark";

/**
 * @param {HTMLElement} button
 * @param {() => void} changed
 */
export function themed(button, changed) {
  const set = (/** @type {boolean} */ isDark) => {
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
    button.setAttribute("aria-pressed", String(isDark));
  };
  set(system.matches);
  system.addEventListener("change", () => (set(system.matches), changed()));
  button.onclick = () => (set(!dark()), changed());
}
