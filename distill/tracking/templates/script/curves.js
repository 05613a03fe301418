// Parity, and the slices through the worst point.
const NAMES = { teacher: "teacher", formula: "formula", c: "C", table: "table" };

function parity(host, candidate) {
  const truth = unpack(DATA.shared.dots);
  const value = unpack(candidate.drawn.parity);
  if (!truth.length) return;
  const [low, high] = range(truth, false);
  // A formula far off is cut at twice the teacher's span.
  const [vl, vh] = range(value, false);
  const axes = { x: { low, high, label: named(`${DATA.output} by the teacher`, DATA.unit) },
    y: { low: Math.max(Math.min(low, vl), low - 2 * (high - low)), high: Math.min(Math.max(high, vh), high + 2 * (high - low)) } };
  const place = el("figure", {}, el("figcaption", {}, `${named(`${DATA.output} by the formula`, DATA.unit)} over the teacher's; on the line they agree`));
  host.append(place);
  chart(place, {
    height: (width) => Math.min(width, 330), label: "Formula over teacher", axes: () => axes,
    draw(frame) {
      line(frame, [low, high], [low, high], "axis");
      truth.forEach((x, i) => {
        const y = value[i];
        if (Number.isFinite(y) && y >= axes.y.low && y <= axes.y.high) frame.root.append(svg("circle", { class: "dot", cx: frame.x(x).toFixed(1), cy: frame.y(y).toFixed(1), r: 1.8 }));
      });
    },
  });
}

function slices(host, candidate) {
  const worst = candidate.drawn.worst;
  DATA.shared.lines.forEach(({ input, x }, number) => slice(host, candidate, input, unpack(x), candidate.drawn.slices[number], worst));
}

function slice(host, candidate, input, xs, drawn, worst) {
  const variable = DATA.shared.variables[input];
  const reference = unpack(drawn.values);
  const off = Object.fromEntries(Object.entries(drawn.off).map(([name, data]) => [name, unpack(data)]));
  const curves = Object.fromEntries(Object.entries(off).map(([name, d]) => [name, d.map((v, i) => reference[i] + v)]));
  const at = drawn.at;
  const across = { low: variable.low, high: variable.high, log: variable.log };
  const place = el("figure", {});
  const caption = el("figcaption", {}, `${named(DATA.output, DATA.unit)} along ${variable.name}`);
  place.append(caption);
  host.append(place);
  const stepped = variable.discrete;
  const here = (frame) => { const p = frame.x(at); frame.root.append(svg("line", { class: "axis", x1: p, x2: p, y1: frame.top, y2: frame.bottom, "stroke-dasharray": "2 3" })); };
  const all = [...reference, ...Object.values(curves).flat()];
  const teachers = range(reference, false);
  const room = teachers[1] - teachers[0];
  const [low, high] = range(all.filter((v) => v > teachers[0] - room && v < teachers[1] + room), false, 0.08);
  const values = chart(place, {
    height: 190, label: `Slice along ${variable.name}: ${[drawn.reference, ...Object.keys(off)].join(", ")}`,
    axes: () => ({ x: { ...across, label: null }, y: { low, high } }),
    draw(frame) {
      here(frame);
      line(frame, xs, reference, `curve ${drawn.reference}`, stepped);
      for (const name of ["table", "formula", "c"]) if (curves[name]) line(frame, xs, curves[name], `curve ${name}`, stepped);
      follow(frame);
    },
  });
  const rows = [[keyLine(drawn.reference), NAMES[drawn.reference]], ...["formula", "c", "table"].filter((n) => off[n]).map((n) => [keyLine(n), NAMES[n]])];
  if (Object.keys(off).length) {
    place.append(el("figcaption", {}, `difference from the ${NAMES[drawn.reference]}; the band is the tolerance`));
    const most = Math.max(DATA.tolerance, ...Object.values(off).flat().filter(Number.isFinite).map(Math.abs));
    // Beyond some tolerances nobody reads figures, and the band would vanish.
    const reach = Math.min(most, 40 * DATA.tolerance) * 1.12;
    chart(place, {
      height: 150, label: `Difference along ${variable.name}`,
      axes: () => ({ x: { ...across, label: named(variable.name, variable.unit) }, y: { low: -reach, high: reach } }),
      draw(frame) {
        const [top, bottom] = [frame.y(DATA.tolerance), frame.y(-DATA.tolerance)];
        frame.root.append(svg("rect", { class: "band", x: frame.left, width: frame.right - frame.left, y: top, height: bottom - top }));
        here(frame);
        for (const name of ["table", "formula", "c"]) if (off[name]) line(frame, xs, off[name], `curve ${name}`, stepped);
      },
    });
  }
  place.append(legend(rows));

  // The figures under the pointer, in the caption.
  function follow(frame) {
    frame.root.onpointermove = (event) => {
      const x = frame.x.back(event.clientX - frame.root.getBoundingClientRect().left);
      let best = 0;
      xs.forEach((v, i) => { if (Math.abs(v - x) < Math.abs(xs[best] - x)) best = i; });
      const told = Object.entries(curves).map(([name, c]) => `${NAMES[name]} ${figure(c[best])}`);
      caption.textContent = `${variable.name} ${figure(xs[best])}: ${NAMES[drawn.reference]} ${figure(reference[best])}${told.length ? `, ${told.join(", ")}` : ""}`;
    };
    frame.root.onpointerleave = () => (caption.textContent = `${named(DATA.output, DATA.unit)} along ${variable.name}`);
  }
  return values;
}
