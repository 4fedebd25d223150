// --- Charts of a figure that can be zoomed, with series on and off and axes linear or logarithmic. The library, Vega-Lite,
// is unpacked at the first chart. Its expressions are interpreted, because the page's policy allows no eval.
const chartsAreHere = document.getElementById("charts") !== null;
let drawer = null;
const vega = () => drawer ??= library("charts").then(() => window.vegaEmbed);

// A regular star or polygon in a box from -1 to 1: the radius of each of its corners in turn.
const corners = (radii, turn = 0) => `M${radii.map((radius, i) => [Math.sin, (angle) => -Math.cos(angle)]
  .map((of) => (radius * of(2 * Math.PI * i / radii.length + turn)).toFixed(2)).join(",")).join("L")}Z`;
const SHAPES = { lifting: "triangle-up", full: "square", separable: "diamond", gseparable: "cross", averaged: "triangle-right",
  canonical: corners(Array(5).fill([1.15, 0.48]).flat()), dgseparable: corners(Array(5).fill(1)), separable2d: corners(Array(6).fill(1)),
  custom: "triangle-down", "own-2": "triangle-left", "own-3": "M0,-1.1L.6,0L0,1.1L-.6,0Z", "own-4": corners(Array(8).fill(1), Math.PI / 8),
  dseparable: "M-.9,-.5L-.5,-.9L0,-.4L.5,-.9L.9,-.5L.4,0L.9,.5L.5,.9L0,.4L-.5,.9L-.9,.5L-.4,0Z" };
const DASHES = { "--": [6, 4], ":": [2, 3], "-.": [6, 3, 2, 3] };
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const CATEGORIES = ["separable", "full", "lifting", "gseparable", "averaged", "canonical", "dseparable", "dgseparable"];
const colour = (name, number, own) => {
  if (own) return css(own === "custom" ? "ink" : own);
  if (name === "plain") return css("muted");
  const known = all(".mark path").some((path) => path.classList.contains(`v-${name}`)) && css(name);
  return known || css(CATEGORIES[number % CATEGORIES.length]);
};

// The Vega-Lite specification of a plot.
const specification = (plot, { hidden, scales, zoom }, budgets = {}) => {
  const names = [...new Set(plot.points.map(([name]) => name))];
  const fits = (value, scale) => value !== null && (scale !== "log" || value > 0);
  const values = plot.points
    .map(([name, x, y, low, high, line, tip, left = null, right = null]) => ({ name, x, y, low, high, line, tip, left, right }))
    .filter(({ name, x, y }) => !hidden.has(name) && fits(x, scales[0]) && fits(y, scales[1]));
  // A logarithmic axis of few decades needs many ticks, else one of them at most has a label.
  const decades = (number) => {
    const found = values.map((value) => [value.x, value.y][number]);
    return Math.log10(Math.max(...found) / Math.min(...found));
  };
  const ticks = (number) => scales[number] !== "log" ? (number === 0 && plot.whole ? { tickMinStep: 1 } : {}) : decades(number) < 1.5 ? { tickCount: 20 } : {};
  const axis = (number) => ({ type: "quantitative", title: plot.labels[number], axis: { labelOverlap: "greedy", labelSeparation: 6, ...ticks(number) },
    scale: { type: scales[number], nice: false, padding: 12, ...(scales[number] === "log" ? {} : { zero: false }) } });
  const series = { field: "name", type: "nominal", legend: null };
  const color = { ...series, scale: { domain: names, range: names.map((name, number) => colour(name, number, plot.looks?.[name])) } };
  const shape = { ...series, scale: { domain: names, range: names.map((name) => SHAPES[plot.looks?.[name] ?? name] ?? "circle") } };
  const [x, y] = [{ field: "x", ...axis(0) }, { field: "y", ...axis(1) }];
  return {
    data: { values }, width: "container", height: 420, background: null, padding: 8,
    layer: [
      ...(values.some(({ low, high }) => low !== null && high !== null) ? [{
        transform: [{ filter: "datum.low !== null && datum.high !== null" }], mark: { type: "rule", opacity: 0.7, clip: true },
        encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color } }] : []),
      ...(values.some(({ left, right }) => left !== null && right !== null) ? [{
        transform: [{ filter: "datum.left !== null && datum.right !== null" }], mark: { type: "rule", opacity: 0.7, clip: true },
        encoding: { x: { ...x, field: "left" }, x2: { field: "right" }, y, color } }] : []),
      ...(plot.front?.length > 1 ? [{ data: { values: plot.front.map(([x, y]) => ({ x, y })).filter(({ x, y }) => fits(x, scales[0]) && fits(y, scales[1])) },
        mark: { type: "line", interpolate: "step-after", strokeDash: [5, 3], strokeWidth: 1.2, color: css("ink"), clip: true }, encoding: { x, y } }] : []),
      ...[["x", budgets[plot.price], x], ["y", budgets.accuracy, y]].filter(([, limit]) => plot.price && limit > 0).map(([name, limit, channel]) => ({
        data: { values: [{ [name]: limit }] }, mark: { type: "rule", strokeDash: [2, 3], strokeWidth: 1.5, color: css("warn"), clip: true },
        encoding: { [name]: channel } })),
      ...[...new Set(values.map(({ line }) => line))].filter(Boolean).map((line) => ({
        transform: [{ filter: { field: "line", equal: line } }],
        mark: { type: "line", strokeWidth: 1.8, ...(DASHES[line] ? { strokeDash: DASHES[line] } : {}) }, encoding: { x, y, color } })),
      { params: [
          { name: "zoom", select: { type: "interval" }, bind: "scales", ...(zoom ? { value: zoom } : {}) },
          { name: "near", select: { type: "point", on: "pointermove", clear: "pointerout", nearest: true } }],
        mark: { type: "point", filled: true, opacity: 1, stroke: css("paper"), strokeWidth: 0.6 },
        encoding: { x, y, color, shape, tooltip: { field: "tip", type: "nominal" },
          size: { condition: { param: "near", empty: false, value: 190 }, value: 70 } } },
    ],
    config: { font: "system-ui, sans-serif", view: { stroke: null }, axis: { labelColor: css("ink"), titleColor: css("ink"),
      gridColor: css("grid"), domainColor: css("muted"), tickColor: css("muted"), labelFontSize: 13, titleFontSize: 13, titleFontWeight: "normal" } },
  };
};

// The dialog that shows one chart at a time.
const dialog = document.getElementById("chart");
const controls = dialog.querySelector("form");
let shown = null;  // the plots of a figure, and what is chosen of them
const chart = async () => {
  const mine = shown, { plots, chosen } = mine, plot = plots[chosen.panel];
  const embed = await vega();
  if (shown !== mine) return;  // closed, or another figure, meanwhile
  const place = dialog.querySelector(".place");
  mine.result?.finalize();
  const result = await embed(place, specification(plot, chosen, mine.budgets), {
    mode: "vega-lite", ast: true, actions: false, defaultStyle: false, renderer: "canvas",
    tooltip: (_, event, item, value) => {
      const text = value && (item?.datum?.datum ?? item?.datum)?.tip;  // the cell around a point has the point as its datum
      if (text) say(text, event.clientX + 12, event.clientY + 14); else hush();
    },
  });
  if (shown !== mine) { result.finalize(); return; }
  mine.result = result;
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", plot.title);
  result.view.addSignalListener("zoom", (_, zoom) => {
    chosen.zoom = zoom?.x && zoom?.y ? { x: zoom.x, y: zoom.y } : null;
    keepChart();
  });
  dialog.dataset.drawn = String(Number(dialog.dataset.drawn ?? 0) + 1);
};
const keepChart = () => {
  if (!shown?.key) return;
  const { key, chosen, plots } = shown, plot = plots[chosen.panel];
  const ends = (values) => values.map((value) => Number(value.toPrecision(4))).join(",");
  remember({ chart: key, panel: chosen.panel || "", hide: [...chosen.hidden].join(","),
    x: chosen.scales[0] === plot.scales[0] ? "" : chosen.scales[0], y: chosen.scales[1] === plot.scales[1] ? "" : chosen.scales[1],
    zoom: chosen.zoom ? `${ends(chosen.zoom.x)},${ends(chosen.zoom.y)}` : "" });
};
const setControls = () => {
  const { plots, chosen } = shown, plot = plots[chosen.panel];
  const { panel, x, y } = controls.elements;
  panel.replaceChildren(...plots.map((each, number) => new Option(each.title, number)));
  panel.value = chosen.panel;
  panel.closest("label").hidden = plots.length < 2;
  [x.value, y.value] = chosen.scales;
  const names = [...new Set(plot.points.map(([name]) => name))];
  dialog.querySelector(".series").replaceChildren(...names.map((name) => {
    const label = document.createElement("label"), box = document.createElement("input");
    Object.assign(box, { type: "checkbox", name: "series", value: name, checked: !chosen.hidden.has(name) });
    const sample = document.createElement("span");
    sample.className = "sample";
    sample.style.background = colour(name, names.indexOf(name), plot.looks?.[name]);
    label.append(box, sample, ` ${name}`);
    return label;
  }));
};
const open = async (key, title, plots, chosen = {}, budgets = {}) => {
  const panel = plots[chosen.panel] ? Number(chosen.panel) : 0;
  const scales = plots[panel].scales.map((scale, number) => ["linear", "log"].includes(chosen.scales?.[number]) ? chosen.scales[number] : scale);
  shown = { key, plots, budgets, chosen: { panel, hidden: new Set(chosen.hidden ?? []), scales, zoom: chosen.zoom ?? null } };
  dialog.querySelector("h2").textContent = title;
  dialog.querySelector(".beside").replaceChildren();
  setControls();
  if (!dialog.open) dialog.showModal();
  keepChart();
  await chart();
};
controls.addEventListener("change", async () => {
  const { chosen, plots } = shown, { panel, x, y } = controls.elements;
  if (Number(panel.value) !== chosen.panel) {
    Object.assign(chosen, { panel: Number(panel.value), zoom: null, scales: [...plots[Number(panel.value)].scales] });
    setControls();
  } else {
    const scales = [x.value, y.value];
    if (scales.join() !== chosen.scales.join()) Object.assign(chosen, { scales, zoom: null });
    chosen.hidden = new Set(all("[name=series]", controls).filter((box) => !box.checked).map((box) => box.value));
  }
  keepChart();
  await chart();
});
controls.addEventListener("submit", (event) => event.preventDefault());
dialog.querySelector("[name=whole]").addEventListener("click", async () => { shown.chosen.zoom = null; keepChart(); await chart(); });
dialog.querySelector("[name=png]").addEventListener("click", async () => {
  save(`${shown.key || "samples"}.png`, await shown.result.view.toImageURL("png", 2));
});
dialog.querySelector("[name=close]").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => {
  shown.result?.finalize();
  shown = null;
  hush();
  remember({ chart: "", panel: "", hide: "", x: "", y: "", zoom: "", records: "" });
});
const ofFigure = (figure) => JSON.parse(figure.querySelector("script.plots").textContent);
// A figure's title, with the study where a section has several: the heading that is nearest above.
const titleOf = (figure) => {
  const above = all(":scope > h3.study", figure.closest("section")).filter((heading) => heading.compareDocumentPosition(figure) & Node.DOCUMENT_POSITION_FOLLOWING);
  return [figure.querySelector("h3"), ...above.slice(-1)].map((heading) => heading.textContent).join(" – ");
};
// The budgets of the form below a figure, in the units of its axes.
const budgetsOf = (figure) => {
  const form = figure.closest("section").querySelector("form.advisor");
  const mine = form && form.closest("section").querySelector("figure:has([data-price])") === figure;
  return mine ? Object.fromEntries(all("input", form).map((input) => [input.name, written(input.value)])) : {};
};
for (const button of all("button.chart")) {
  button.hidden = !chartsAreHere;
  button.addEventListener("click", () => {
    const figure = button.closest("figure");
    open(figure.id, titleOf(figure), ofFigure(figure), {}, budgetsOf(figure));
  });
}
const kept = document.getElementById(state.get("chart") ?? "");
if (chartsAreHere && kept?.querySelector("script.plots")) {
  const part = kept.closest(".part");
  if (part?.hidden) show(part.id);
  const numbers = (state.get("zoom") ?? "").split(",").map(Number);
  open(kept.id, titleOf(kept), ofFigure(kept), {
    panel: state.get("panel"), hidden: state.get("hide")?.split(","), scales: [state.get("x"), state.get("y")],
    zoom: numbers.length === 4 && numbers.every(Number.isFinite) ? { x: numbers.slice(0, 2), y: numbers.slice(2) } : null }, budgetsOf(kept));
}
