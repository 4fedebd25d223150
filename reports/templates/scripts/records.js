// --- Every record: sorted, filtered and paged by DataTables, from the JSON next to the table. Both are unpacked while the page
// can be read and used already.
const recordTables = all("table.records[data-source]");
const [sources] = await Promise.all([Promise.all(recordTables.map((table) => unpacked(document.getElementById(table.dataset.source).textContent))), library("tables")]);
// Missing values stay last, in both directions of sorting.
const last = (compare) => (a, b) => a === null || b === null ? (a === null) - (b === null) : compare(a, b);
DataTable.type("amount", { order: { asc: last((a, b) => a - b), desc: last((a, b) => b - a) } });
// Samples are drawn where the page has both the records and the library of charts.
const samplesAreHere = chartsAreHere && all("#data a[download='records.jsonl.gz']").length > 0;
for (const element of all(".needs-samples")) element.hidden = !samplesAreHere;
const escaped = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
const tables = recordTables.map((table, number) => {
  const data = JSON.parse(sources[number]);
  const columns = data.columns.map((column) => {
    const texts = column.texts.map(escaped);  // of the distinct cells, which are far fewer than all
    const hasSamples = column.title === "time, median" && table.id === "costs" && samplesAreHere;
    const shown = (text, row) => hasSamples && text !== "–"
      ? `<button type="button" class="samples" value="${data.ids[row]}" title="the samples, by round">${text}</button>`
      : column.title === "id" ? `<code>${text}</code>` : text;
    return {
      title: escaped(column.title),
      type: column.number ? "amount" : "string",
      className: column.number ? "number" : "",
      visible: column.main,
      data: (row, use) => {
        const at = column.at[row];
        if (use === "sort" || use === "type") return column.number ? column.keys[at] : column.texts[at];
        return use === "display" ? shown(texts[at], row) : texts[at];
      },
    };
  });
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
      remember({ [`${table.id}.${select.dataset.column}`]: select.selectedIndex ? `=${wanted}` : "" });
    });
    const kept = state.get(`${table.id}.${select.dataset.column}`);
    if (kept !== null && values.includes(kept.slice(1))) {
      select.selectedIndex = values.indexOf(kept.slice(1)) + 1;
      select.dispatchEvent(new Event("change"));
    }
  }
  const every = controls.querySelector("input");
  every.addEventListener("change", () => {
    data.columns.forEach((column, index) => grid.column(index).visible(column.main || every.checked, false));
    grid.columns.adjust().draw(false);
    // The columns that have come are in sight.
    const box = table.closest(".dt-layout-table"), first = every.checked && grid.column(data.columns.findIndex((column) => !column.main)).header();
    box.scrollLeft = first ? first.offsetLeft - box.clientWidth / 2 : 0;
  });
  return { grid, data, table, ids: data.ids };
});
