/**
 * An element with its attributes and what is in it.
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {(Node | string)[]} inside
 */
export function element(tag, attributes = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

/**
 * The element with an id.
 * @param {string} id
 * @returns {any}
 */
export const by = (id) => document.getElementById(id);

/**
 * Markdown of the front end as elements: headings, code, lists of paragraphs. Formulas in LaTeX are
 * left out, since the equation stands above them.
 * @param {string} text
 */
export function markdown(text) {
  const shown = document.createDocumentFragment();
  text.split(/^```/m).forEach((part, place) => {
    if (place % 2) {
      shown.append(element("pre", {}, element("code", {}, part.replace(/^.*\n/, "").trimEnd())));
      return;
    }
    for (const paragraph of part.split(/\n{2,}/)) {
      const plain = paragraph.trim();
      if (!plain || plain.startsWith("$$")) continue;
      const heading = /^#+ (.*)$/.exec(plain);
      shown.append(
        heading ? element("h3", {}, ...inline(heading[1])) : element("p", {}, ...inline(plain)),
      );
    }
  });
  return shown;
}

/**
 * A line with what stands in backticks as code.
 * @param {string} text
 */
export function inline(text) {
  return text.split("`").map((part, place) => (place % 2 ? element("code", {}, part) : part));
}
