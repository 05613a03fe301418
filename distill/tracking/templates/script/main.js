// What is selected, and who shows it.
const byLabel = new Map(DATA.candidates.map((candidate) => [candidate.label, candidate]));
const views = [];
const host = byId("details");
let coloured = [];

function select(label) {
  const candidate = byLabel.get(label);
  if (!candidate) return;
  coloured = detail(host, candidate, Boolean(byId("table")));
  for (const view of views) view.show(label);
}

if (byId("front")) views.push(front(byId("front"), select));
views.push(table(select));
if (DATA.selected) select(DATA.selected);
const chosen = DATA.candidates.find((candidate) => candidate.chosen);
if (byId("headline") && chosen && setFormula(byId("headline"), chosen)) fit(byId("headline"));
for (const button of document.querySelectorAll("button.copy[data-copies]")) {
  const source = byId(button.dataset.copies);
  button.replaceWith(copyButton(source.textContent, button.getAttribute("aria-label").slice(5), () => source));
}
for (const query of [DARK, matchMedia("print")]) query.addEventListener("change", () => { for (const plot of coloured) plot.draw(); });
