"use strict";
// Sorts a table by a column: numbers by size, the rest by letters, cells without a value last.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  const body = table.tBodies[0];
  const first = [...body.rows];
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    const detail = cell.querySelector("small");
    const text = (detail ? cell.textContent.slice(0, cell.textContent.lastIndexOf(detail.textContent)) : cell.textContent).trim();
    const number = Number.parseFloat(text.replaceAll(",", ""));
    return text === "-" || text === "" ? null : Number.isNaN(number) ? text.toLowerCase() : number;
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
  heads.forEach((head, column) => {
    head.firstElementChild.addEventListener("click", () => {
      const next = { none: "descending", descending: "ascending", ascending: "none" }[head.getAttribute("aria-sort") || "none"];
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      let rows = first;
      if (next !== "none") {
        head.setAttribute("aria-sort", next);
        const sign = next === "ascending" ? 1 : -1;
        rows = first
          .map((row) => [valueOf(row, column), row])
          .sort(([a], [b]) => (a === null) - (b === null) || (a === null ? 0 : sign * compare(a, b)))
          .map(([, row]) => row);
      }
      body.append(...rows);
    });
  });
}
// Shows what a point of a figure is, to a mouse, a finger and a keyboard.
const tip = document.getElementById("tip");
const show = (mark) => {
  tip.textContent = mark.getAttribute("aria-label");
  tip.hidden = false;
  const box = mark.getBoundingClientRect();
  const left = Math.min(Math.max(8, box.left + box.width / 2 - tip.offsetWidth / 2), document.documentElement.clientWidth - tip.offsetWidth - 8);
  const above = box.top - tip.offsetHeight - 8;
  tip.style.left = `${left + scrollX}px`;
  tip.style.top = `${(above > 0 ? above : box.bottom + 8) + scrollY}px`;
};
const hide = () => { tip.hidden = true; };
for (const mark of document.querySelectorAll(".tip")) {
  for (const event of ["pointerenter", "focus"]) mark.addEventListener(event, () => show(mark));
  for (const event of ["pointerleave", "blur"]) mark.addEventListener(event, hide);
}
addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
// A link to a row inside a folded part opens it.
const open = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const folded = target && target.closest("details");
  if (folded && !folded.open) { folded.open = true; target.scrollIntoView(); }
};
addEventListener("hashchange", open);
open();
