// --- The advisor: the networks that fit the budgets, the fronts among them, and which one to take. What the seeds show
// was computed when the page was made, and is in the rows: the numbers of the networks that a network is shown to be near
// or far below, and of those that clearly beat it at each cost.
const listing = (parts) => parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
const twoDigits = (value) => {
  const decimals = 1 - Math.floor(Math.log10(value)), shown = Math.max(0, decimals);
  const scaled = value * 10 ** decimals, even = 2 * Math.round(scaled / 2);  // ties go to the even digit, as in Python
  const rounded = Math.abs(scaled - Math.trunc(scaled)) === 0.5 ? even : Math.round(scaled);
  return (rounded / 10 ** decimals).toLocaleString("en-US", { minimumFractionDigits: shown, maximumFractionDigits: shown });
};
// The number that a reader wrote: null for nothing, NaN for what is no number or may be two. A comma is read as a decimal
// point, except where it may separate thousands.
const written = (text) => {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  if (/^[1-9]\d{0,2}(,\d{3})+$/.test(trimmed)) return NaN;
  return /^(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?$/i.test(trimmed) ? Number(trimmed.replace(",", ".")) : NaN;
};
const complaint = (input) => {
  const number = written(input.value), most = Number(input.dataset.most ?? Infinity);
  return number === null ? "" : Number.isNaN(number) ? "write a number of at least 0, such as 0.3" : number > most ? `at most ${most}` : "";
};
for (const form of all("form.advisor")) {
  const part = form.closest(".part");
  const figure = form.closest("section").querySelector("figure:has([data-price])");
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
    const cheapest = Math.min(...[best, ...near].map(cost));
    const chosen = least([best, ...near].filter((row) => cost(row) === cheapest), (row) => -value(row, "accuracy"));
    const open = fits.filter((row) => cost(row) < cost(chosen) && !near.includes(row)
      && !shown(row, "far").includes(best.dataset.number)).sort((a, b) => a.dataset.number - b.dataset.number);
    const undecided = open.length ? `. The seeds do not decide whether these cheaper ones are: ${listing(open.map((row) => row.dataset.name))}` : "";
    const times = Number.isFinite(cost(best)) && cost(best) > 0 ? `, which costs ${twoDigits(cost(best) / cost(chosen))}× as much` : "";
    const cheaper = fits.some((row) => cost(row) < cost(best));
    const text = chosen === best ? `take ${best.dataset.words}, the most accurate; none ${cheaper ? "" : "is "}cheaper by ${fronts[price]}${cheaper ? ` is shown to be within ${points} of it` : ""}`
      : `take ${chosen.dataset.words}, the cheapest by ${fronts[price]} that is shown to be within ${points} of the most accurate, ${best.dataset.words}${times}`;
    return `${text}${undecided} (${n}).`;
  };

  const advise = () => {
    for (const input of limits) {
      if (complaint(input)) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
    }
    const wrong = limits.find(complaint);
    if (wrong) {
      form.querySelector("output").textContent = `${wrong.closest("label").textContent.trim()}: ${complaint(wrong)}`;
      return;
    }
    const limited = limits.some((input) => written(input.value) !== null);
    const fits = rows.filter((row) => limits.every((input) => {
      if (written(input.value) === null) return true;
      const wanted = written(input.value) * Number(input.dataset.unit);
      const near = 1e-9 * Math.abs(wanted);  // 95.7 % is 0.957 only nearly
      return input.name === "accuracy" ? value(row, "accuracy") >= wanted - near : value(row, input.name) <= wanted + near;
    }));
    const numbers = new Set(fits.map((row) => row.dataset.number));
    for (const row of rows) {
      const known = Object.keys(fronts).filter((name) => !Number.isNaN(value(row, name)));
      const on = known.filter((name) => !beaten(row, name).some((rival) => numbers.has(rival))).map((name) => fronts[name]);
      row.classList.toggle("outside", !numbers.has(row.dataset.number));
      row.querySelector(".front").textContent = !numbers.has(row.dataset.number) ? "does not fit"
        : on.length ? on.join(", ") : known.length ? "no" : "–";
    }
    if (figure) redraw(numbers, limited);
    const text = fits.length ? choice(fits) : "";
    form.querySelector("output").textContent = !fits.length ? `None of ${rows.length} networks fits.`
      : limited ? `${fits.length} of ${rows.length} networks fit: ${text}` : `${text[0].toUpperCase()}${text.slice(1)}`;
  };
  // The figure above: what does not fit is faint, and so is the front of all networks; lines show the budgets and the front
  // of those that fit.
  const redraw = (numbers, limited) => {
    for (const panel of all("[data-price]", figure)) {
      const { price } = panel.dataset, { at, frame } = plane(panel);
      const factor = 1 / Number(limits.find((input) => input.name === price).dataset.unit);
      const on = fitting(numbers, price).filter(() => limited);
      for (const row of rows) {
        const outside = !numbers.has(row.dataset.number), there = (mark) => (mark.tip ?? mark.querySelector("title")?.textContent ?? "").startsWith(`${row.dataset.name}:`);
        for (const mark of all(".tip", panel).filter(there)) {
          mark.classList.toggle("outside", outside);
          mark.classList.toggle("on-front", on.includes(row));
        }
        for (const drawn of all(`[data-network="${row.dataset.number}"]`, panel)) drawn.classList.toggle("outside", outside);
      }
      for (const front of all("[data-front]", panel)) front.classList.toggle("outside", limited);
      for (const old of all(".budget, .within", panel)) old.remove();
      const add = (name, path) => {
        const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
        line.setAttribute("class", name);
        line.setAttribute("d", path);
        panel.append(line);
      };
      const [left, top, right, bottom] = frame;
      const [across, up] = [price, "accuracy"].map((name) => written(limits.find((input) => input.name === name).value));
      if (across > 0 && at(across, 0)[0] >= left && at(across, 0)[0] <= right) add("budget", `M${at(across, 0)[0]} ${top}V${bottom}`);
      if (up !== null && at(1, up)[1] >= top && at(1, up)[1] <= bottom) add("budget", `M${left} ${at(1, up)[1]}H${right}`);
      const corners = reached(on, price).map((row) => at(factor * value(row, price), 100 * value(row, "accuracy")));
      if (corners.length) add("within", corners.map(([x, y], i) => i ? `H${x}V${y}` : `M${x} ${y}`).join(""));
    }
    figure.querySelector(".all-networks")?.remove();
    if (limited) figure.querySelector(".takeaway")?.prepend(Object.assign(document.createElement("b"), { className: "all-networks", textContent: "Without the budgets below: " }));
  };
  // The networks that fit and are on the front of a cost among them, cheapest first; of these, those through which its line goes.
  const fitting = (numbers, price) => rows
    .filter((row) => numbers.has(row.dataset.number) && !Number.isNaN(value(row, price)) && !beaten(row, price).some((rival) => numbers.has(rival)))
    .sort((a, b) => value(a, price) - value(b, price));
  const reached = (on, price) => on.filter((row, i) => on.slice(0, i).every((other) => value(other, "accuracy") <= value(row, "accuracy")));
  // Where a cost and an accuracy are in a panel, whose axis of costs is logarithmic.
  const plane = (panel) => {
    const [frame, across, up] = ["frame", "across", "up"].map((name) => panel.dataset[name].split(" ").map(Number));
    const [left, top, right, bottom] = frame, between = (low, high, share) => low + (high - low) * share;
    const round = (number) => Math.round(100 * number) / 100;
    return { frame, at: (cost, accuracy) => [round(between(left, right, Math.log(cost / across[0]) / Math.log(across[1] / across[0]))),
      round(between(bottom, top, (accuracy - up[0]) / (up[1] - up[0])))] };
  };
  const keep = () => remember(Object.fromEntries(limits.map((input) => [`${part.id}.${input.name}`, input.value])));
  for (const input of limits) input.value = state.get(`${part.id}.${input.name}`) ?? "";
  form.addEventListener("input", () => { advise(); keep(); });
  form.addEventListener("reset", () => setTimeout(() => { advise(); keep(); }));
  form.addEventListener("submit", (event) => event.preventDefault());
  advise();
  // An address with budgets and no other place shows the form.
  const elsewhere = ["at", "chart", "records"].some((name) => state.get(name));
  const again = performance.getEntriesByType("navigation")[0]?.type === "reload";
  if (limits.some((input) => input.value !== "") && !elsewhere && !again && !part.hidden) form.scrollIntoView({ block: "center" });
}
