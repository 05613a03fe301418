// Elements, and what the page carries as data.
const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  // Text becomes text and never markup, whatever it holds.
  node.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}
const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
const byId = (id) => document.getElementById(id);

const DATA = JSON.parse(byId("data").textContent);
const withUnit = (text, unit) => (unit ? `${text} ${unit}` : text);
const named = (name, unit) => (unit ? `${name} [${unit}]` : name);

// What Python packed: uint16 between the lowest and the highest value, 65535 for none.
function unpack({ low, high, data }) {
  const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 2 }, (_, i) => {
    const step = view.getUint16(2 * i, true);
    return step === 65535 ? NaN : low + (high / 2 - low / 2) * 2 * (step / 65534);
  });
}

// The clipboard is closed to pages in a sandbox; there a selection is copied the old way.
async function copy(text, from) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    if (!from) return false;
    getSelection().selectAllChildren(from);
    return document.execCommand("copy");
  }
}

function copyButton(text, what, from) {
  const button = el("button", { type: "button", class: "copy", "aria-label": `Copy ${what}` }, "Copy");
  button.addEventListener("click", async () => {
    button.textContent = (await copy(text, from && from())) ? "Copied" : "Select it";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  return button;
}

// Text that is longer than anybody wants to scroll past.
function shortened(text, most, tag) {
  if (text.length <= most) return el(tag, { class: "mono wrap" }, text);
  const node = el(tag, { class: "mono wrap" }, `${text.slice(0, most)} … `);
  const more = el("button", { type: "button", class: "more" }, `Show all ${text.length.toLocaleString("en")} characters`);
  more.addEventListener("click", () => node.replaceChildren(text));
  node.append(more);
  return node;
}
