// The front: every candidate as a point over two figures of one's choice.
const ACROSS = {
  complexity: ["complexity (nodes)", ""],
  instructions: [`instructions a call on ${DATA.target}`, ""],
  flash: [`flash on ${DATA.target}`, "B"],
};
const UP = {
  error: ["largest error found", DATA.unit],
  rmse: ["RMSE", DATA.unit],
  bound: ["proven bound", DATA.unit],
};
// Of a logarithmic axis; far below the tolerance all errors are the same, and zero has no place.
const LOWEST = DATA.tolerance * 1e-4;
const kindOf = (c) => (c.chosen ? "chosen" : c.published ? "published" : c.front ? "front" : "other");

function front(host, select) {
  const usable = (axis) => Object.keys(axis).filter((key) => DATA.candidates.some((c) => c.figures[key] !== null));
  const [acrossKeys, upKeys] = [usable(ACROSS), usable(UP)];
  if (!acrossKeys.length || !upKeys.length) return { show() {} };
  const state = { x: acrossKeys.includes("instructions") ? "instructions" : acrossKeys[0], y: upKeys[0], xlog: null, ylog: true };
  let [selected, at, points, rings] = [DATA.selected, null, [], null];

  const wide = (key) => {
    const values = DATA.candidates.map((c) => c.figures[key]).filter((v) => v > 0);
    return values.length > 0 && Math.max(...values) > 50 * Math.min(...values);
  };
  const choice = (text, keys, axis, name) => {
    const box = el("select", { name }, keys.map((key) => el("option", { value: key, selected: key === state[name] }, axis[key][0])));
    box.addEventListener("change", () => { state[name] = box.value; if (name === "x") { state.xlog = wide(box.value); xlog.checked = state.xlog; } plot.draw(); });
    return el("label", {}, text, box);
  };
  const toggle = (text, name) => {
    const box = el("input", { type: "checkbox", name, checked: state[name] });
    box.addEventListener("change", () => { state[name] = box.checked; plot.draw(); });
    return [box, el("label", {}, box, text)];
  };
  state.xlog = wide(state.x);
  const [xlog, xlogLabel] = toggle("logarithmic", "xlog");
  const [, ylogLabel] = toggle("logarithmic", "ylog");
  host.append(el("div", { class: "toolbar" }, choice("Up", upKeys, UP, "y"), ylogLabel, choice("Across", acrossKeys, ACROSS, "x"), xlogLabel));
  const place = el("figure", {});
  const tip = el("div", { class: "tip", hidden: true });
  const missing = el("p", { class: "note" });
  host.append(place, legend([
    [keyMark("front"), "Pareto front over nodes"], [keyMark("other"), "other"], [keyMark("published"), "published"], [keyMark("chosen"), "chosen"],
  ]), missing);

  const axesNow = () => {
    const known = DATA.candidates.filter((c) => c.figures[state.x] !== null && c.figures[state.y] !== null);
    const low = known.some((c) => c.figures[state.y] < LOWEST);
    const ys = known.map((c) => c.figures[state.y]).filter((v) => !state.ylog || v >= LOWEST);
    const [xl, xh] = range(known.map((c) => c.figures[state.x]), state.xlog);
    let [yl, yh] = range([...ys, DATA.tolerance], state.ylog, 0.06);
    yl = state.ylog ? (low ? yl / 3 : yl) : 0;
    return {
      x: { low: state.xlog ? xl : Math.max(0, xl), high: xh, log: state.xlog, label: named(...ACROSS[state.x]) },
      y: { low: yl, high: yh, log: state.ylog },
    };
  };

  const draw = (frame) => {
    const known = DATA.candidates.filter((c) => c.figures[state.x] !== null && c.figures[state.y] !== null && (!state.xlog || c.figures[state.x] > 0));
    points = known
      .map((c) => ({ c, x: frame.x(c.figures[state.x]), y: state.ylog && c.figures[state.y] < LOWEST ? frame.bottom : frame.y(c.figures[state.y]) }))
      .sort((a, b) => a.x - b.x || b.y - a.y);
    const absent = DATA.candidates.length - points.length;
    const below = points.filter((p) => p.y === frame.bottom).length;
    missing.textContent = [absent && `${absent} without a figure on these axes`, below && `${below} on the lower edge, with less than can be shown`].filter(Boolean).join("; ");
    const level = frame.y(DATA.tolerance);
    if (level >= frame.top && level <= frame.bottom) {
      frame.root.append(svg("line", { class: "tolerance", x1: frame.left, x2: frame.right, y1: level, y2: level }));
      frame.root.append(svg("text", { x: frame.right - 4, y: level - 6, "text-anchor": "end" }, withUnit(`tolerance ${figure(DATA.tolerance)}`, DATA.unit)));
    }
    frame.root.append(svg("path", { class: "stairs", d: stairs(points, frame) }));
    const order = { other: 0, front: 1, published: 2, chosen: 3 };
    for (const p of [...points].sort((a, b) => order[kindOf(a.c)] - order[kindOf(b.c)])) {
      const mark = svg("path", {
        id: `mark-${p.c.label}`, class: `mark ${kindOf(p.c)}`, d: SHAPES[kindOf(p.c)], transform: `translate(${p.x} ${p.y})`,
        role: "option", "aria-selected": p.c.label === selected, "aria-label": told(p.c),
        on: { click: () => select(p.c.label), pointerenter: () => hover(p), pointerleave: () => hover(null) },
      });
      frame.root.append(mark);
    }
    rings = svg("g", {});
    frame.root.append(rings);
    mark();
  };

  const plot = chart(place, {
    height: (width) => clamp(Math.round(width * 0.45), 260, 440),
    label: "Candidates by accuracy and cost. Arrow keys move, Enter selects.",
    role: "listbox", attributes: { tabindex: 0, class: "front-plot" }, axes: axesNow, draw,
  });
  place.append(tip);

  function told(c) {
    return `${c.label}, ${ACROSS[state.x][0]} ${figure(c.figures[state.x])}, ${UP[state.y][0]} ${withUnit(figure(c.figures[state.y]), DATA.unit)}`;
  }
  function hover(p) {
    tip.hidden = !p;
    if (!p) return;
    const text = p.c.formula.length > 160 ? `${p.c.formula.slice(0, 160)} …` : p.c.formula;
    tip.replaceChildren(el("strong", {}, p.c.label), ` ${withUnit(figure(p.c.figures[state.y]), DATA.unit)}, ${withUnit(figure(p.c.figures[state.x]), ACROSS[state.x][1])}${state.x === "complexity" ? " nodes" : state.x === "instructions" ? " instructions" : ""}`, el("br", {}), text);
    const right = p.x > place.clientWidth / 2;
    tip.style.left = right ? "auto" : `${p.x + 14}px`;
    tip.style.right = right ? `${place.clientWidth - p.x + 14}px` : "auto";
    tip.style.top = `${Math.max(0, p.y - 24)}px`;
  }
  // Rings around what is selected and where the keyboard is.
  function mark() {
    const ring = (p, name) => [svg("circle", { class: `ring ${name}`, cx: p.x, cy: p.y, r: name ? 14 : 11 }),
      svg("text", { class: "name", x: p.x, y: p.y - 15, "text-anchor": "middle" }, p.c.label)];
    const chosen = points.find((p) => p.c.label === selected);
    const focused = points.find((p) => p.c.label === at);
    rings.replaceChildren(...(chosen ? ring(chosen, "") : []), ...(focused && focused !== chosen ? ring(focused, "at") : []));
    for (const p of points) byId(`mark-${p.c.label}`)?.setAttribute("aria-selected", p.c.label === selected);
  }
  function go(to) {
    const p = points[clamp(to, 0, points.length - 1)];
    if (!p) return;
    at = p.c.label;
    plot.root.setAttribute("aria-activedescendant", `mark-${at}`);
    mark();
    hover(p);
  }
  plot.root.addEventListener("focus", () => { if (plot.root.matches(":focus-visible")) go(Math.max(0, points.findIndex((p) => p.c.label === (at || selected)))); });
  plot.root.addEventListener("blur", () => { at = null; mark(); hover(null); });
  plot.root.addEventListener("keydown", (event) => {
    const now = points.findIndex((p) => p.c.label === (at || selected));
    const to = { ArrowRight: now + 1, ArrowDown: now + 1, ArrowLeft: now - 1, ArrowUp: now - 1, Home: 0, End: points.length - 1 }[event.key];
    if (to !== undefined) go(to);
    else if ((event.key === "Enter" || event.key === " ") && at) select(at);
    else return;
    event.preventDefault();
  });
  return { show(label) { selected = label; mark(); } };
}

// What nothing found is better than in both figures, as stairs.
function stairs(points, frame) {
  let [d, best] = ["", -Infinity];
  for (const p of points) {
    if (p.c.published || p.y <= best) continue;
    d += d ? `H${p.x}V${p.y}` : `M${p.x} ${p.y}`;
    best = p.y; // further down is better
  }
  return d && `${d}H${frame.right}`;
}
