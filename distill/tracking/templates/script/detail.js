// All that is known of one candidate.
const LONGEST = 900;

function detail(host, candidate, title) {
  const c = candidate;
  host.replaceChildren();
  const badge = (text, kind) => el("span", { class: `badge ${kind || ""}` }, text);
  if (title) {
    host.append(
      el("h2", {}, `${c.label}: ${c.engine}${c.origin ? `, ${c.origin}` : ""}`),
      el("p", {}, c.chosen && badge("★ chosen", "star"), c.published && badge("published"), c.front && badge("on the Pareto front"),
        c.within ? badge("within the tolerance", "good") : badge("beyond the tolerance", "bad")),
    );
  }
  formula(host, c);
  part(host, "What is proven, and what is sampled", claims(c));
  const plots = el("div", { class: "plots" });
  part(host, "Where it is off", plots);
  const redrawn = maps(plots, c);
  parity(plots, c);
  const lines = el("div", { class: "plots" });
  part(host, c.drawn.worst ? "Slices through the worst point" : "Slices through the middle", lines);
  slices(lines, c);
  if (c.costs.rows.length) part(host, "What a call costs on every target", costs(c.costs));
  if (c.kept.length) part(host, "Units and constraints", el("ul", {}, c.kept.map((text) => el("li", {}, text))));
  if (title && c.confusion) part(host, "Labels: the teacher's in rows, the formula's in columns", confusion(c.confusion));
  if (c.c) part(host, "C", copied(c.c, "the C", "pre"));
  return redrawn;
}

function part(host, title, ...content) {
  host.append(el("h3", {}, title), ...content);
}

function formula(host, c) {
  if (c.closed.length) {
    host.append(el("p", {}, c.formula), el("p", { class: "note" }, "The teacher's own arithmetic, step by step."), pairs(c.closed));
    if (c.steps.length > 1) host.append(el("ol", { class: "steps" }, c.steps.map(([step, size]) => el("li", {}, `${step} `, size && el("span", {}, size)))));
    return;
  }
  const shown = el("div", { class: "formula", tabindex: 0, role: "region", "aria-label": "The formula" });
  if (!setFormula(shown, c)) shown.append(shortened(`${DATA.output} = ${c.formula}`, LONGEST, "div"));
  host.append(shown);
  fit(shown);
  const sources = [["As text, exactly", c.exact, "the formula"], ["LaTeX", c.latex, "the LaTeX"]];
  host.append(...sources.map(([title, text, what]) => el("details", {}, el("summary", {}, title), copied(text, what, "pre", true))));
}

// MathML that Python printed from the tree of the formula. Each term of its sum becomes an element
// of its own, because browsers break lines between such elements and nowhere inside them.
function setFormula(host, c) {
  if (!c.mathml) return false;
  const row = new DOMParser().parseFromString(c.mathml, "text/xml").documentElement.firstElementChild;
  const terms = [[math("mi", DATA.output), math("mo", "=")]];
  for (const node of [...row.children]) {
    if (node.localName === "mo" && "+−".includes(node.textContent) && node !== row.firstElementChild) {
      node.setAttribute("form", "infix");
      terms.push([]);
    } else if (node === row.firstElementChild) terms.push([]);
    terms.at(-1).push(node);
  }
  host.replaceChildren(...terms.flatMap((nodes) => [fill(math("math"), { displaystyle: "true" }, [fill(math("mrow"), {}, nodes)]), " "]));
  return true;
}

// A term that is wider than its place is set smaller before it is scrolled.
const fit = (host) => host.classList.toggle("long", host.scrollWidth > host.clientWidth);

function math(tag, text) {
  const node = document.createElementNS("http://www.w3.org/1998/Math/MathML", tag);
  if (text) node.textContent = text;
  return node;
}

function copied(text, what, tag, wrap) {
  const body = text.length > 4 * LONGEST && wrap ? shortened(text, LONGEST, tag) : el(tag, { class: wrap ? "wrap" : "", tabindex: 0 }, text);
  return el("div", { class: "copied" }, body, copyButton(text, what, () => body));
}

function claims(c) {
  const looks = { proven: "good", open: "star" };
  return scrolled(el("table", { class: "pairs claims" },
    el("tr", {}, ["claim", "how known", "on what it rests"].map((text) => el("th", { scope: "col" }, text))),
    c.claims.map(({ says, known, basis }) => el("tr", {}, el("td", {}, says), el("td", {}, el("span", { class: `badge ${looks[known] || ""}` }, known)), el("td", {}, basis)))));
}

function costs({ names, rows }) {
  const words = names.length - 2; // the arithmetic, and how it is known
  const kind = (i) => (i < words ? "" : "text");
  return scrolled(el("table", { class: "costs" },
    el("tr", {}, el("th", { scope: "col", class: "text" }, "target"), names.map((text, i) => el("th", { scope: "col", class: kind(i) }, text))),
    rows.map(([target, ...cells]) => el("tr", { class: target === DATA.target ? "own" : "" }, el("th", { scope: "row", class: "text" }, target), cells.map((text, i) => el("td", { class: kind(i) }, text))))));
}

function confusion(rows) {
  return scrolled(el("table", { class: "confusion" },
    el("tr", {}, el("td", {}), DATA.classes.map((name) => el("th", { scope: "col" }, name))),
    rows.map((row, i) => el("tr", {}, el("th", { scope: "row" }, DATA.classes[i] ?? i), row.map((n, j) => el("td", { class: i === j ? "same" : n ? "off" : "" }, figure(n)))))));
}

const pairs = (rows) => scrolled(el("table", { class: "pairs" }, rows.map(([name, text]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, text)))));
const scrolled = (node) => el("div", { class: "scroll" }, node);
