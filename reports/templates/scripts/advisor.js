// --- The advisor: the networks that fit the budgets, the fronts among them, and which one to take. What the seeds show
// was computed when the page was made, and is in the rows: the numbers of the networks that a network is shown to be near
// or far below, or below in every seed; of those that clearly beat it at each cost; and of those that rival it there.
// Join words to a list, as `written.listing` does: by semicolons where a word has a comma outside of brackets.
const listing = (parts) => {
  const between = parts.some((part) => part.replace(/\([^)]*\)|\[[^\]]*\]/g, "").includes(",")) ? ";" : ",";
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(`${between} `)}${between === ";" ? ";" : ""} and ${parts.at(-1)}`;
};
const digits = (value, significant = 3) => {
  const decimals = significant - 1 - Math.floor(Math.log10(value)), shown = Math.max(0, decimals);
  const scaled = value * 10 ** decimals, even = 2 * Math.round(scaled / 2);  // ties go to the even digit, as in Python
  const rounded = Math.abs(scaled - Math.trunc(scaled)) === 0.5 ? even : Math.round(scaled);
  return (rounded / 10 ** decimals).toLocaleString("en-US", { minimumFractionDigits: shown, maximumFractionDigits: shown });
};
// A ratio with its interval, from the logarithms of two estimates with intervals, as `intervals.ratio` computes it.
const multiple = (dear, cheap, few) => {
  if (dear.every((end, i) => end === cheap[i])) return "1.00×";  // networks that share the record of their time
  const [a, b] = [dear, cheap].map((ends) => ends.map(Math.log)), value = a[0] - b[0];
  const low = value - Math.hypot(a[0] - a[1], b[2] - b[0]), high = value + Math.hypot(a[2] - a[0], b[0] - b[1]);
  const ends = low === high ? "" : Number.isFinite(high - low) ? ` [${digits(Math.exp(low))}, ${digits(Math.exp(high))}]` : ` (${few})`;
  return `${digits(Math.exp(value))}×${ends}`;
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
  const fronted = Object.keys(fronts).filter((name) => rows.filter((row) => !Number.isNaN(value(row, name))).length > 1);
  const cost = (row) => Number.isNaN(value(row, price)) ? Infinity : value(row, price);
  const shown = (row, name) => row.dataset[name].split(" ");
  const listed = (row, prefix, name) => row.dataset[`${prefix}${name[0].toUpperCase()}${name.slice(1)}`].split(" ");
  const least = (rows, key) => rows.reduce((one, other) => key(other) < key(one) ? other : one);

  const choice = (fits) => {
    const counts = fits.map((row) => Number(row.dataset.n));
    const [low, high] = [Math.min(...counts), Math.max(...counts)];
    const n = `n = ${low === high ? low : `${low}–${high}`} seed${high === 1 ? "" : "s"}`;
    const best = least(fits, (row) => -value(row, "accuracy"));
    if (fits.length === 1) return `the only network is ${best.dataset.words} (${n}).${beyond(best)}`;
    if (Number(form.dataset.seeds) < Number(fewest))
      return `the seeds are too few to tell accuracies apart (${n}); the highest is that of ${best.dataset.words}.${beyond(best)}`;
    const near = fits.filter((row) => shown(row, "near").includes(best.dataset.number));
    const cheapest = Math.min(...[best, ...near].map(cost));
    const chosen = least([best, ...near].filter((row) => cost(row) === cheapest), (row) => -value(row, "accuracy"));
    const timed = (row) => price === "seconds" ? ["seconds", "ci_low", "ci_high"].map((name) => value(row, name)) : Array(3).fill(cost(row));
    const times = Number.isFinite(cost(best)) && cost(best) > 0 && cost(chosen) > 0 ? `, which costs ${multiple(timed(best), timed(chosen), form.dataset.few)} as much` : "";
    const cheaper = fits.some((row) => cost(row) < cost(best));
    const text = chosen === best ? `take ${best.dataset.words}, which has the highest mean accuracy; none ${cheaper ? "" : "is "}cheaper by ${fronts[price]}${cheaper ? ` is shown to be within ${points} of it` : ""}`
      : `take ${chosen.dataset.words}, the cheapest by ${fronts[price]} that is shown to be within ${points} of the highest mean accuracy, that of ${best.dataset.words}${times}`;
    return `${[text, ...cheaperOnes(best, chosen, fits, near)].join(". ")} (${n}).${beyond(chosen)}`;
  };

  // What the seeds show of the cheaper networks that are not taken, and what they leave open.
  const cheaperOnes = (best, chosen, fits, near) => {
    const others = fits.filter((row) => cost(row) < cost(chosen) && !near.includes(row)).sort((a, b) => a.dataset.number - b.dataset.number);
    const is = (row, name) => shown(row, name).includes(best.dataset.number);
    const far = others.filter((row) => is(row, "far"));
    const lower = others.filter((row) => !far.includes(row) && is(row, "lower"));
    const undecided = others.filter((row) => !far.includes(row) && !lower.includes(row));
    const names = (rows) => listing(rows.map((row) => row.dataset.name));
    const are = (rows, these, one) => rows.length === 1 ? `${one} cheaper network is` : `${these} cheaper networks are`;
    const found = [];
    if (far.length) found.push(`${are(far, "These", "This")} shown to be more than ${points} less accurate: ${names(far)}`);
    if (lower.length) found.push(`${are(lower, "These", "This")} more than ${points} less accurate in every seed, though the test does not show it: ${names(lower)}`);
    if (undecided.length) found.push(`The seeds do not decide whether ${are(undecided, "these", "this")} within ${points} of the highest mean: ${names(undecided)}`);
    return found;
  };

  // A time counts by its median, of which the interval may lie on both sides of the budget.
  const budget = () => {
    const input = limits.find((input) => input.name === "seconds");
    return written(input.value) === null ? NaN : written(input.value) * Number(input.dataset.unit);
  };
  const reaches = (row) => value(row, "ci_low") <= budget() && budget() < value(row, "ci_high");
  const beyond = (row) => reaches(row) ? ` The 95 % interval of the time of ${row.dataset.name} reaches beyond the budget.` : "";

  const advise = () => {
    for (const input of limits) {
      if (complaint(input)) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
    }
    const wrong = limits.find(complaint);
    if (wrong) {
      form.querySelector("output").textContent = `${wrong.closest("label").textContent.trim()}: ${complaint(wrong)}`;
      return;
    }
    const set = limits.filter((input) => written(input.value) !== null);
    const unknown = (row) => set.some((input) => Number.isNaN(value(row, input.name)));
    const meets = (row) => (input) => {
      const wanted = written(input.value) * Number(input.dataset.unit);
      const near = 1e-9 * Math.abs(wanted);  // 95.7 % is 0.957 only nearly
      return input.name === "accuracy" ? value(row, "accuracy") >= wanted - near : !(value(row, input.name) > wanted + near);
    };
    const within = (row) => set.every(meets(row));
    const fits = rows.filter((row) => within(row) && !unknown(row));
    const numbers = new Set(fits.map((row) => row.dataset.number));
    for (const row of rows) {
      const known = fronted.filter((name) => !Number.isNaN(value(row, name)));
      const among = (name, prefix) => listed(row, prefix, name).some((rival) => numbers.has(rival));
      const on = known.filter((name) => !among(name, "beaten")).map((name) => `${fronts[name]}${among(name, "rivalled") ? "*" : ""}`);
      row.classList.toggle("outside", !within(row));
      row.querySelector(".front").textContent = !within(row) ? "does not fit" : unknown(row) ? "not judged"
        : `${on.length ? on.join(", ") : known.length ? "no" : "–"}${reaches(row) ? " (maybe)" : ""}`;
    }
    if (figure) redraw(numbers, rows.filter((row) => !within(row)), set.length > 0);
    const text = fits.length ? choice(fits) : "";
    const told = fits.length ? set.length ? `${fits.length} of ${rows.length} networks fit by their means and medians: ${text}` : `${text[0].toUpperCase()}${text.slice(1)}`
      : rows.some(within) ? "" : `None of ${rows.length} networks fits by its means and medians.`;
    const others = set.filter((input) => input.name !== "seconds");
    const nearly = rows.filter((row) => !within(row) && reaches(row) && others.every(meets(row))).map((row) => row.dataset.name);
    const into = nearly.length ? ` By the 95 % interval of their time, these may fit too: ${listing(nearly)}.` : "";
    const unjudged = set.map((input) => [input, rows.filter((row) => Number.isNaN(value(row, input.name))).length]).filter(([, many]) => many)
      .map(([input, many]) => ` The ${input.closest("label").textContent.trim().split(" at ")[0]} was not measured for ${many} of ${rows.length} networks: this limit cannot judge them.`);
    form.querySelector("output").textContent = `${told}${into}${unjudged.join("")}`.trim();
  };
  // The figure above: what does not fit is faint, and so is the front of all networks; lines show the budgets and the front
  // of those that fit.
  const redraw = (numbers, left, limited) => {
    for (const panel of all("[data-price]", figure)) {
      const { price } = panel.dataset, { at, frame } = plane(panel);
      const factor = 1 / Number(limits.find((input) => input.name === price).dataset.unit);
      const on = fitting(numbers, price).filter(() => limited);
      for (const row of rows) {
        const outside = left.includes(row), there = (mark) => (mark.tip ?? mark.querySelector("title")?.textContent ?? "").startsWith(`${row.dataset.name}:`);
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
      const [start, top, end, bottom] = frame;
      const [across, up] = [price, "accuracy"].map((name) => written(limits.find((input) => input.name === name).value));
      if (across > 0 && at(across, 0)[0] >= start && at(across, 0)[0] <= end) add("budget", `M${at(across, 0)[0]} ${top}V${bottom}`);
      if (up !== null && at(1, up)[1] >= top && at(1, up)[1] <= bottom) add("budget", `M${start} ${at(1, up)[1]}H${end}`);
      const corners = reached(on, price).map((row) => at(factor * value(row, price), 100 * value(row, "accuracy")));
      if (corners.length) add("within", corners.map(([x, y], i) => i ? `H${x}V${y}` : `M${x} ${y}`).join(""));
    }
    figure.querySelector(".all-networks")?.remove();
    if (limited) figure.querySelector(".takeaway")?.prepend(Object.assign(document.createElement("b"), { className: "all-networks", textContent: "Without the budgets below: " }));
  };
  // The networks that fit and are on the front of a cost among them, cheapest first; of these, those through which its line goes.
  const fitting = (numbers, price) => rows
    .filter((row) => numbers.has(row.dataset.number) && !Number.isNaN(value(row, price)) && !listed(row, "beaten", price).some((rival) => numbers.has(rival)))
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
