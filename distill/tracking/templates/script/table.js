// The table: sorted by a header, filtered by words, a row selects.
function table(select) {
  const [root, count] = [byId("table"), byId("count")];
  if (!root) return { show() {} };
  const body = root.tBodies[0];
  const rows = [...body.rows];
  const words = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const byLabel = new Map(rows.map((row) => [row.dataset.label, row]));
  const tell = (n) => (count.textContent = n === rows.length ? `${n} candidates` : `${n} of ${rows.length} candidates`);

  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (row && !getSelection().toString()) select(row.dataset.label);
  });
  byId("search").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      row.hidden = !wanted.every((word) => words.get(row).includes(word));
      shown += !row.hidden;
    }
    tell(shown);
  });
  [...root.tHead.rows[0].cells].forEach((head, column) => {
    head.firstElementChild.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of root.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const text = head.classList.contains("text");
      const key = (row) => (text ? row.cells[column].textContent : row.cells[column].dataset.value);
      const compare = (a, b) => {
        const [p, q] = [key(a), key(b)];
        if (text) return (up ? 1 : -1) * p.localeCompare(q, "en", { numeric: true });
        // What has no figure comes last, whichever way.
        if (p === "" || q === "") return (p === "") - (q === "");
        return (up ? 1 : -1) * (number(p) - number(q)) || 0;
      };
      rows.sort(compare);
      body.append(...rows);
    });
  });
  const number = (text) => (text === "inf" ? Number.MAX_VALUE : Number(text));
  tell(rows.length);
  return {
    show(label) {
      for (const row of rows) row.classList.toggle("selected", row.dataset.label === label);
      for (const row of rows) row.querySelector(".pick").setAttribute("aria-pressed", row.dataset.label === label);
      const [row, box] = [byLabel.get(label), root.parentElement];
      // Only the box is scrolled, never the page.
      if (row && !row.hidden) box.scrollTop = clamp(box.scrollTop, row.offsetTop + row.offsetHeight - box.clientHeight, Math.max(0, row.offsetTop - 40));
    },
  };
}
