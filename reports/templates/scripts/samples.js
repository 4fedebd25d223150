// --- The samples of a record by round, at the press of its time; and two records side by side.
const raw = () => all("#data a[download='records.jsonl.gz']")[0];
let read = null;
const costRecords = () => read ??= unpacked(raw().href.split(",")[1])
  .then((text) => text.trimEnd().split("\n").map((line) => JSON.parse(line)).filter((record) => record.kind === "cost"));
const costTable = tables.find(({ table }) => table.id === "costs");
let held = "";  // the row id of the record that waits for another one beside it

const samplesOf = (record, name) => {
  const rounds = record.seconds?.rounds ?? (record.seconds?.samples ? [record.seconds.samples] : []);
  return rounds.flatMap((samples, round) => samples.map((seconds, pass) => {
    const text = `${name}round ${round + 1}, pass ${pass + 1}: ${(1e3 * seconds).toPrecision(4)} ms`;
    return [name ? name.trim().replace(/,$/, "") : `round ${round + 1}`, round + 1 + (pass + 1) / (samples.length + 2) * 0.8 - 0.4, 1e3 * seconds, null, null, "", text];
  }));
};
// A table of every column of one or two records; a ratio only where both come from one machine.
const fields = (rows) => {
  const { columns } = costTable.data, at = (column, row) => column.at[row];
  const machine = columns.find(({ title }) => title === "machine");
  const alike = !machine || rows.every((row) => machine.texts[at(machine, row)] === machine.texts[at(machine, rows[0])]);
  const table = document.createElement("table"), body = table.createTBody();
  table.createCaption().textContent = "Every column of these records";
  const line = (cells, tag = "td") => {
    const row = (tag === "th" ? table.createTHead() : body).insertRow();
    for (const text of cells) row.append(Object.assign(document.createElement(tag), { textContent: text }));
  };
  line(["column", ...rows.map((_, number) => rows.length > 1 ? ["first", "second"][number] : "value"), ...(rows.length > 1 ? ["second / first"] : [])], "th");
  for (const column of columns) {
    const texts = rows.map((row) => column.texts[at(column, row)]);
    const keys = rows.map((row) => column.number ? column.keys[at(column, row)] : null);
    const ratio = rows.length > 1 ? [alike && keys.every((key) => key > 0) ? `${(keys[1] / keys[0]).toPrecision(3)}×` : ""] : [];
    if (texts.some((text) => text !== "–")) line([column.title, ...texts, ...ratio]);
  }
  return [table, alike];
};
const showRecords = async (ids) => {
  const rows = ids.map((id) => costTable.data.ids.indexOf(id)).filter((row) => row >= 0);
  if (!rows.length) return;
  const records = await costRecords();
  const found = rows.map((row) => records[Number(costTable.data.ids[row].split("-").at(-1))]);
  const points = found.flatMap((record, number) => samplesOf(record, found.length > 1 ? `${["first", "second"][number]}, ` : ""));
  if (!points.length) return;
  const title = found.length > 1 ? "Two records side by side" : "Samples, by round";
  const label = found.map((record) => record.id).join(" and ");
  await open("", title, [{ title: label, labels: ["round", "time (ms)"], scales: ["linear", "linear"], points, whole: true }]);
  remember({ records: ids.join(",") });
  const [table, alike] = fields(rows);
  const note = Object.assign(document.createElement("p"), { className: "note" });
  note.textContent = alike ? label : `${label}. They come from different machines: their times are not compared.`;
  const hold = Object.assign(document.createElement("button"), { type: "button", textContent: "Lay another record beside this one" });
  hold.addEventListener("click", () => { held = ids[0]; dialog.close(); document.getElementById("records").scrollIntoView(); hint(); });
  const scroll = Object.assign(document.createElement("div"), { className: "scroll", tabIndex: 0 });
  scroll.setAttribute("role", "group");
  scroll.setAttribute("aria-label", table.caption.textContent);
  scroll.append(table);
  dialog.querySelector(".beside").replaceChildren(...(rows.length > 1 ? [] : [hold]), note, scroll);
};
const hint = () => {
  const place = document.getElementById("held");
  place.textContent = held ? "Press the time of the record that you want beside the first one." : "";
};
if (costTable && samplesAreHere) {
  costTable.table.addEventListener("click", (event) => {
    const button = event.target.closest("button.samples");
    if (!button) return;
    const ids = held && held !== button.value ? [held, button.value] : [button.value];
    held = "";
    hint();
    showRecords(ids);
  });
  if (state.get("records")) showRecords(state.get("records").split(","));
}
