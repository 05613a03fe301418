// A frame with two axes in an SVG as wide as its place, drawn again when that changes.
let charts = 0;
const PADDING = { left: 58, right: 14, top: 10, bottom: 42 };

function chart(host, options) {
  const root = svg("svg", { role: options.role || "img", "aria-label": options.label, ...(options.attributes || {}) });
  host.append(root);
  const clip = `clip-${++charts}`;
  let drawn = 0;
  const draw = () => {
    const width = Math.max(Math.round(host.clientWidth), 220);
    drawn = width;
    const height = typeof options.height === "function" ? options.height(width) : options.height;
    root.setAttribute("width", width);
    root.setAttribute("height", height);
    root.setAttribute("viewBox", `0 0 ${width} ${height}`);
    root.replaceChildren();
    const { x, y } = options.axes();
    const frame = {
      root, width, height,
      left: PADDING.left, right: width - PADDING.right - (options.right || 0),
      top: PADDING.top, bottom: height - (x.label === null ? 22 : PADDING.bottom),
    };
    frame.x = scale(x.low, x.high, x.log, frame.left, frame.right);
    frame.y = scale(y.low, y.high, y.log, frame.bottom, frame.top);
    frame.clip = clip;
    const inside = { x: frame.left, y: frame.top - 1, width: frame.right - frame.left, height: frame.bottom - frame.top + 2 };
    root.append(svg("clipPath", { id: clip }, svg("rect", inside)));
    axes(frame, x, y);
    options.draw(frame);
  };
  new ResizeObserver(() => { if (Math.round(host.clientWidth) !== drawn) draw(); }).observe(host);
  draw();
  return { root, draw };
}

function axes(frame, x, y) {
  const { root, left, right, top, bottom } = frame;
  for (const v of frame.x.ticks((right - left) / 80)) {
    const p = frame.x(v);
    root.append(svg("line", { class: "grid", x1: p, x2: p, y1: top, y2: bottom }));
    root.append(svg("text", { x: p, y: bottom + 16, "text-anchor": "middle" }, tickText(v)));
  }
  for (const v of frame.y.ticks((bottom - top) / 30)) {
    const p = frame.y(v);
    root.append(svg("line", { class: "grid", x1: left, x2: right, y1: p, y2: p }));
    root.append(svg("text", { x: left - 7, y: p + 4, "text-anchor": "end" }, tickText(v)));
  }
  root.append(svg("path", { class: "axis", fill: "none", d: `M${left} ${top}V${bottom}H${right}` }));
  if (x.label) root.append(svg("text", { x: (left + right) / 2, y: bottom + 36, "text-anchor": "middle" }, x.label));
}

// A line through points; it breaks where there is no value.
function line(frame, xs, ys, name, stepped = false) {
  let d = "";
  let open = false;
  xs.forEach((x, i) => {
    if (!Number.isFinite(x) || !Number.isFinite(ys[i])) { open = false; return; }
    const [px, py] = [frame.x(x).toFixed(1), clamp(frame.y(ys[i]), -9999, 9999).toFixed(1)];
    d += open ? (stepped ? `H${px}V${py}` : `L${px} ${py}`) : `M${px} ${py}`;
    open = true;
  });
  frame.root.append(svg("path", { class: name, d, "clip-path": `url(#${frame.clip})` }));
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

const STAR = (() => {
  const corners = Array.from({ length: 10 }, (_, i) => {
    const [radius, angle] = [i % 2 ? 4.2 : 9.5, (Math.PI * i) / 5 - Math.PI / 2];
    return `${(radius * Math.cos(angle)).toFixed(2)} ${(radius * Math.sin(angle)).toFixed(2)}`;
  });
  return `M${corners.join("L")}Z`;
})();
const SHAPES = { chosen: STAR, published: "M0 -6.5L6.5 0L0 6.5L-6.5 0Z", front: circle(5.5), other: circle(4.2) };
function circle(r) { return `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`; }

function legend(rows) {
  return el("div", { class: "legend" }, rows.map(([node, text]) => el("span", {}, node, text)));
}
const keyMark = (kind) => svg("svg", { viewBox: "-10 -8 20 16", "aria-hidden": "true" }, svg("path", { class: `mark ${kind}`, d: SHAPES[kind] }));
const keyLine = (kind) => svg("svg", { viewBox: "0 0 20 12", "aria-hidden": "true" }, svg("path", { class: `key ${kind}`, d: "M0 6H20" }));
