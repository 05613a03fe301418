// Residual maps: each cell shows the largest difference that a point in it found, with its sign.
const DARK = matchMedia("(prefers-color-scheme: dark)");
const COLOURS = {
  light: [[24, 84, 160], [122, 172, 216], [247, 247, 247], [236, 150, 116], [168, 32, 26]],
  dark: [[120, 186, 255], [52, 104, 162], [30, 34, 41], [160, 72, 46], [255, 150, 122]],
};

function colour(share, palette) {
  const place = ((clamp(share, -1, 1) + 1) / 2) * (palette.length - 1);
  const k = Math.min(Math.floor(place), palette.length - 2);
  return palette[k].map((low, i) => Math.round(low + (place - k) * (palette[k + 1][i] - low)));
}

function picture(grid, columns, rows, limit, palette) {
  const canvas = el("canvas", { width: columns, height: rows });
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  grid.forEach((value, i) => {
    if (!Number.isFinite(value)) return;
    // Rows come from the lowest value up, pictures from the top down.
    const at = 4 * ((rows - 1 - Math.floor(i / columns)) * columns + (i % columns));
    image.data.set([...colour(value / limit, palette), 255], at);
  });
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}

function maps(host, candidate) {
  const grids = candidate.drawn.maps.map(unpack);
  if (!grids.length) return [];
  const sizes = grids.flat().filter(Number.isFinite).map(Math.abs);
  const error = candidate.figures.error;
  const limit = Math.max(...sizes, candidate.drawn.worst ? error : 0) || 1;
  const name = (i) => DATA.shared.variables[i];
  return DATA.shared.panels.map((panel, number) => {
    const [x, y] = [name(panel.x), name(panel.y)];
    const caption = el("figcaption", {}, `${named("formula - teacher", DATA.unit)} over ${x.name} and ${y.name} (up)`);
    const place = el("figure", {}, caption);
    host.append(place);
    const drawn = chart(place, {
      height: (width) => Math.min(width, 330), label: `Largest difference in each place of ${x.name} and ${y.name}`,
      axes: () => ({ x: { ...x, label: named(x.name, x.unit) }, y }),
      draw(frame) {
        const palette = COLOURS[DARK.matches && !matchMedia("print").matches ? "dark" : "light"];
        const [w, h] = [frame.right - frame.left, frame.bottom - frame.top];
        frame.root.append(svg("image", { href: picture(grids[number], panel.columns, panel.rows, limit, palette), x: frame.left, y: frame.top, width: w, height: h, preserveAspectRatio: "none", "image-rendering": "pixelated" }));
        if (panel.guard.length) frame.root.append(svg("path", { class: "guard", d: panel.guard.map(([a, b, c, d]) => `M${frame.x(a)} ${frame.y(c)}H${frame.x(b)}V${frame.y(d)}H${frame.x(a)}Z`).join("") }));
        const worst = candidate.drawn.worst;
        if (worst) for (const kind of ["halo", "worst"]) frame.root.append(svg("circle", { class: kind, cx: frame.x(worst[panel.x]), cy: frame.y(worst[panel.y]), r: 7 }));
        frame.root.onpointermove = (event) => {
          const box = frame.root.getBoundingClientRect();
          const [c, r] = [Math.floor(((event.clientX - box.left - frame.left) / w) * panel.columns), Math.floor(((frame.bottom - (event.clientY - box.top)) / h) * panel.rows)];
          const value = c >= 0 && r >= 0 && c < panel.columns && r < panel.rows ? grids[number][r * panel.columns + c] : NaN;
          caption.textContent = Number.isFinite(value) ? `largest difference here: ${withUnit(figure(value), DATA.unit)}` : "no point here";
        };
      },
    });
    const notes = [[bar(), `${figure(-limit)} to ${withUnit(figure(limit), DATA.unit)}`]];
    if (candidate.drawn.worst) notes.push([keyRing(), "worst point found"]);
    if (panel.guard.length) notes.push([keySquare(), "the table answers (of the chosen one)"]);
    place.append(legend(notes));
    return drawn;
  });
}

const keyRing = () => svg("svg", { viewBox: "-10 -6 20 12", "aria-hidden": "true" }, svg("circle", { class: "worst", r: 5 }));
const keySquare = () => svg("svg", { viewBox: "-10 -6 20 12", "aria-hidden": "true" }, svg("rect", { class: "guard", x: -5, y: -5, width: 10, height: 10 }));
function bar() {
  const palette = COLOURS[DARK.matches ? "dark" : "light"];
  const steps = Array.from({ length: 20 }, (_, i) => svg("rect", { x: i, width: 1.05, y: 1, height: 10, fill: `rgb(${colour((i - 9.5) / 9.5, palette)})` }));
  return svg("svg", { viewBox: "0 0 20 12", "aria-hidden": "true" }, steps);
}
