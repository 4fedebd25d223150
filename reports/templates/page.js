// The page's own script; `DataTable` comes from the library. Without scripts the page still shows all figures and tables.
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
for (const element of all(".needs-script")) element.hidden = false;

// --- Every record: sorted, filtered and paged by DataTables, from the JSON next to the table.
// Missing values stay last, in both directions of sorting.
const last = (compare) => (a, b) => a === null || b === null ? (a === null) - (b === null) : compare(a, b);
DataTable.type("amount", { order: { asc: last((a, b) => a - b), desc: last((a, b) => b - a) } });
const tables = all("table.records").map((table) => {
  const data = JSON.parse(document.getElementById(table.dataset.source).textContent);
  const escaped = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
  const columns = data.columns.map((column) => ({
    title: escaped(column.title),
    type: column.number ? "amount" : "string",
    className: column.number ? "number" : "",
    visible: column.main,
    data: (row, use) => {
      const at = column.at[row];
      if (use === "sort" || use === "type") return column.number ? column.keys[at] : column.texts[at];
      const text = escaped(column.texts[at]);
      return use === "display" && column.title === "id" ? `<code>${text}</code>` : text;
    },
  }));
  table.tHead.remove();
  table.tBodies[0].remove();
  const grid = new DataTable(table, {
    columns,
    data: data.ids.map((_, row) => row),
    order: [],
    autoWidth: false,
    pageLength: 25,
    lengthMenu: [25, 100, { label: "all", value: -1 }],
    layout: { topStart: "pageLength", topEnd: "search", bottomStart: "info", bottomEnd: "paging" },
    language: { search: "Find in any column:", lengthMenu: "_MENU_ records a page", info: "_START_ to _END_ of _TOTAL_ records",
      infoFiltered: "(of _MAX_)", zeroRecords: "No record matches.", infoEmpty: "no record" },
    createdRow: (element, row) => {
      element.id = data.ids[row];
      if (data.failed[row]) element.className = "failed";
    },
  });
  const caption = table.caption.textContent;
  grid.table().container().querySelector("nav")?.setAttribute("aria-label", `Pages of “${caption}”`);
  const controls = document.getElementById(`${table.id}-filters`);
  for (const select of all("select", controls)) {
    const column = data.columns.findIndex((each) => each.title === select.dataset.column);
    const values = [...new Set(data.columns[column].at.map((at) => data.columns[column].texts[at]))].sort();
    for (const value of values) select.add(new Option(value || "(none)", value));
    select.addEventListener("change", () => {
      const wanted = select.value;
      grid.column(column).search(select.selectedIndex ? (cell) => cell === escaped(wanted) : "").draw();
    });
  }
  const every = controls.querySelector("input");
  every.addEventListener("change", () => {
    data.columns.forEach((column, index) => grid.column(index).visible(column.main || every.checked, false));
    grid.columns.adjust().draw(false);
  });
  return { grid, ids: data.ids };
});

// A link to a record opens its page of the table; a link into the part of another machine shows that machine.
const follow = () => {
  const id = decodeURIComponent(location.hash.slice(1));
  const chosen = parts.find((part) => `${SHOWN}${part.id}` === id);
  if (chosen) show(chosen.id);
  for (const { grid, ids } of tables) {
    const row = ids.indexOf(id);
    if (row < 0) continue;
    grid.search("").columns().search("");
    const place = grid.draw().rows({ order: "applied" }).indexes().indexOf(row);
    if (grid.page.len() > 0) grid.page(Math.floor(place / grid.page.len())).draw("page");
    const element = grid.row(row).node();
    all("tr.found").forEach((other) => other.classList.remove("found"));
    element.classList.add("found");
    element.scrollIntoView({ block: "center", behavior: "instant" });
    element.tabIndex = -1;
    element.focus({ preventScroll: true });
    return;
  }
  const part = document.getElementById(id)?.closest(".part");
  if (part?.hidden) { show(part.id); document.getElementById(id).scrollIntoView(); }
};

// --- Show one set of results at a time.
const selector = document.getElementById("selector");
const parts = all(".part");
const SHOWN = "show=";  // the start of an address that names the part
const show = (id) => {
  for (const part of parts) part.hidden = part.id !== id;
  for (const entry of all("nav [data-part]")) entry.hidden = entry.dataset.part !== id;
  selector.value = id;
};
if (selector) {
  selector.addEventListener("change", () => {
    show(selector.value);
    history.replaceState(null, "", `#${SHOWN}${selector.value}`);
  });
  show(selector.value);
}
addEventListener("hashchange", follow);
if (location.hash) follow();

// --- Show the text of a point at the pointer, sooner than the browser does, and on touch screens.
const tip = document.getElementById("tip");
const point = (event) => {
  const mark = event.target.closest?.(".tip");
  tip.hidden = !mark;
  if (!mark) return;
  mark.tip ??= mark.querySelector("title").textContent;
  mark.querySelector("title")?.remove();  // else the browser shows it a second time
  tip.textContent = mark.tip;
  const box = mark.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  tip.style.left = `${Math.max(4, Math.min(box.right + 8, width - tip.offsetWidth - 4)) + scrollX}px`;
  tip.style.top = `${box.bottom + 6 + scrollY}px`;
};
addEventListener("pointerover", point);
addEventListener("pointerdown", point);
addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });

// --- Save a figure as an SVG file: its panels side by side, colours and fonts filled in.
const namespace = "http://www.w3.org/2000/svg";
for (const link of all("a.svg")) link.addEventListener("click", () => {
  const style = getComputedStyle(document.documentElement);
  const file = document.createElementNS(namespace, "svg");
  let across = 0, down = 0;
  for (const panel of all(".panels > svg", link.closest("figure"))) {
    const [, , width, height] = panel.getAttribute("viewBox").split(" ").map(Number);
    const copy = panel.cloneNode(true);
    for (const [name, value] of Object.entries({ x: across, y: 0, width, height })) copy.setAttribute(name, value);
    file.append(copy);
    across += width + 12;
    down = Math.max(down, height);
  }
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${across} ${down}`, width: `${across}pt`, height: `${down}pt`,
    "font-family": "sans-serif" })) file.setAttribute(name, value);
  const text = new XMLSerializer().serializeToString(file)
    .replace(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
  link.href = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
});

// --- The advisor: mark the networks that fit the budgets, and those that no other fitting network beats.
for (const form of all("form.advisor")) {
  const part = form.closest(".part");
  const rows = all("table.networks tbody tr", part);
  const limits = all("input", form);
  const value = (row, name) => row.dataset[name] === "" ? NaN : Number(row.dataset[name]);
  const prices = ["seconds", "peak_bytes", "macs"].filter((name) => rows.some((row) => !Number.isNaN(value(row, name))));
  const goods = (row) => [value(row, "accuracy"), ...prices.map((name) => -value(row, name))];
  const beats = (one, other) => {
    const [a, b] = [goods(one), goods(other)];
    return a.every((good, i) => good >= b[i]) && a.some((good, i) => good > b[i]);
  };
  const advise = () => {
    const fits = rows.filter((row) => limits.every((input) => {
      if (input.value === "") return true;
      const wanted = Number(input.value) * Number(input.dataset.unit);
      return input.name === "accuracy" ? value(row, "accuracy") >= wanted : value(row, input.name) <= wanted;
    }));
    const measured = fits.filter((row) => goods(row).every(Number.isFinite));
    const front = measured.filter((row) => !fits.some((rival) => beats(rival, row)));
    for (const row of rows) {
      row.classList.toggle("outside", !fits.includes(row));
      row.querySelector(".front").textContent = front.includes(row) ? "yes"
        : !fits.includes(row) ? "does not fit" : measured.includes(row) ? "no" : "not all measured";
      for (const mark of all(".tip", part)) {
        const name = mark.tip ?? mark.querySelector("title")?.textContent ?? "";
        if (name.startsWith(`${row.dataset.name}:`)) mark.classList.toggle("outside", !fits.includes(row));
      }
    }
    const best = fits.reduce((one, other) => one && value(one, "accuracy") >= value(other, "accuracy") ? one : other, null);
    form.querySelector("output").textContent = best
      ? `${fits.length} of ${rows.length} networks fit, ${front.length} of them beaten by no other. The most accurate that fits: ${best.dataset.words}.`
      : `None of ${rows.length} networks fits.`;
  };
  form.addEventListener("input", advise);
  form.addEventListener("reset", () => setTimeout(advise));
  form.addEventListener("submit", (event) => event.preventDefault());
  advise();
}
document.documentElement.dataset.ready = "yes";
