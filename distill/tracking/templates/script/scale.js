// Numbers to places and back, ticks, and figures for people.
function scale(low, high, log, from, to) {
  const on = log ? Math.log10 : (v) => v;
  const [a, b] = [on(low), on(high)];
  const span = b - a || 1;
  const place = (v) => from + ((on(v) - a) / span) * (to - from);
  place.back = (p) => {
    const v = a + ((p - from) / (to - from)) * span;
    return log ? 10 ** v : v;
  };
  place.ticks = (count) => (log ? logTicks(low, high, count) : linearTicks(low, high, count));
  return place;
}

function linearTicks(low, high, count) {
  const rough = (high - low) / Math.max(count, 1);
  if (!(rough > 0) || !Number.isFinite(rough)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) ticks.push(i * step);
  return ticks;
}

function logTicks(low, high, count) {
  const decades = Math.log10(high / low);
  const steps = decades < 1.2 ? [1, 2, 3, 5, 7] : decades < 2.5 ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil(decades / Math.max(count, 1)));
  const ticks = [];
  for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); p++) {
    if (steps.length === 1 && p % every) continue;
    for (const m of steps) {
      const v = m * 10 ** p;
      if (v >= low * 0.9999 && v <= high * 1.0001) ticks.push(v);
    }
  }
  return ticks.length > 1 ? ticks : [low, high];
}

function figure(value) {
  if (value === null || value === undefined) return "none";
  if (!Number.isFinite(value)) return "not finite";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e9)) return value.toExponential(3).replace(/\.?0+e/, "e");
  if (Number.isInteger(value) || size >= 1e4) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(4)));
}

function tickText(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return Number(value.toPrecision(3)).toExponential().replace("e+", "e");
  return Number(value.toPrecision(6)).toLocaleString("en", { maximumFractionDigits: 6 });
}

// The lowest and highest finite values, with a little room; never an empty range.
function range(values, log, room = 0.05) {
  const usable = values.filter((v) => Number.isFinite(v) && (!log || v > 0));
  if (!usable.length) return log ? [0.1, 1] : [0, 1];
  let [low, high] = [usable[0], usable[0]];
  for (const v of usable) { low = Math.min(low, v); high = Math.max(high, v); }
  if (log) {
    const pad = Math.max((high / low) ** room, 1.15);
    return [low / pad, high * pad];
  }
  const pad = (high - low) * room || Math.abs(high) * 0.1 || 1;
  return [low - pad, high + pad];
}
