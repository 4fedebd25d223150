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

// --- The advisor: the networks that fit the budgets, the fronts among them, and which one to take. What the seeds show
// was computed when the page was made, and is in the rows: the numbers of the networks that a network is shown to be near
// or better than, and of those that clearly beat it at each cost.
const listing = (parts) => parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
const twoDigits = (value) => {
  const decimals = Math.max(0, 1 - Math.floor(Math.log10(value)));
  const form = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return Number(value.toPrecision(2)).toLocaleString("en-US", form);
};
for (const form of all("form.advisor")) {
  const part = form.closest(".part");
  const rows = all("table.networks tbody tr", part);
  const limits = all("input", form);
  const { price, fewest, points } = form.dataset;
  const fronts = JSON.parse(form.dataset.fronts);  // the name of each cost, by its column
  const value = (row, name) => row.dataset[name] === "" ? NaN : Number(row.dataset[name]);
  const cost = (row) => Number.isNaN(value(row, price)) ? Infinity : value(row, price);
  const shown = (row, name) => row.dataset[name].split(" ");
  const beaten = (row, name) => row.dataset[`beaten${name[0].toUpperCase()}${name.slice(1)}`].split(" ");
  const least = (rows, key) => rows.reduce((one, other) => key(other) < key(one) ? other : one);

  const choice = (fits) => {
    const counts = fits.map((row) => Number(row.dataset.n));
    const [low, high] = [Math.min(...counts), Math.max(...counts)];
    const n = `n = ${low === high ? low : `${low}–${high}`} seed${high === 1 ? "" : "s"}`;
    const best = least(fits, (row) => -value(row, "accuracy"));
    if (fits.length === 1) return `the only network is ${best.dataset.words} (${n}).`;
    if (Number(form.dataset.seeds) < Number(fewest))
      return `the seeds are too few to tell accuracies apart (${n}); the highest is that of ${best.dataset.words}.`;
    const near = fits.filter((row) => shown(row, "near").includes(best.dataset.number));
    const chosen = least([best, ...near], cost);
    const open = fits.filter((row) => cost(row) < cost(chosen) && !near.includes(row)
      && !shown(best, "better").includes(row.dataset.number)).sort((a, b) => a.dataset.number - b.dataset.number);
    const undecided = open.length ? `. Cheaper, and not decided: ${listing(open.map((row) => row.dataset.name))}` : "";
    const times = Number.isFinite(cost(best)) && cost(best) > 0 ? `, which costs ${twoDigits(cost(best) / cost(chosen))}× as much` : "";
    const text = chosen === best ? `take ${best.dataset.words}, the most accurate; none cheaper is shown to be within ${points} of it`
      : `take ${chosen.dataset.words}, the cheapest shown to be within ${points} of the most accurate, ${best.dataset.words}${times}`;
    return `${text}${undecided} (${n}).`;
  };

  const advise = () => {
    const limited = limits.some((input) => input.value !== "");
    const fits = rows.filter((row) => limits.every((input) => {
      if (input.value === "") return true;
      const wanted = Number(input.value) * Number(input.dataset.unit);
      return input.name === "accuracy" ? value(row, "accuracy") >= wanted : value(row, input.name) <= wanted;
    }));
    const numbers = new Set(fits.map((row) => row.dataset.number));
    for (const row of rows) {
      const known = Object.keys(fronts).filter((name) => !Number.isNaN(value(row, name)));
      const on = known.filter((name) => !beaten(row, name).some((rival) => numbers.has(rival))).map((name) => fronts[name]);
      row.classList.toggle("outside", !numbers.has(row.dataset.number));
      row.querySelector(".front").textContent = !numbers.has(row.dataset.number) ? "does not fit"
        : on.length ? on.join(", ") : known.length ? "no" : "–";
      for (const mark of all(".tip", part)) {
        const name = mark.tip ?? mark.querySelector("title")?.textContent ?? "";
        if (name.startsWith(`${row.dataset.name}:`)) mark.classList.toggle("outside", !numbers.has(row.dataset.number));
      }
    }
    const text = fits.length ? choice(fits) : "";
    form.querySelector("output").textContent = !fits.length ? `None of ${rows.length} networks fits.`
      : limited ? `${fits.length} of ${rows.length} networks fit: ${text}` : `${text[0].toUpperCase()}${text.slice(1)}`;
  };
  form.addEventListener("input", advise);
  form.addEventListener("reset", () => setTimeout(advise));
  form.addEventListener("submit", (event) => event.preventDefault());
  advise();
}
document.documentElement.dataset.ready = "yes";
