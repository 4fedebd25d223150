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
    const wrong = limits.find((input) => !input.validity.valid);
    if (wrong) {
      form.querySelector("output").textContent = `${wrong.closest("label").textContent.trim()}: ${wrong.validationMessage}`;
      return;
    }
    const limited = limits.some((input) => input.value !== "");
    const fits = rows.filter((row) => limits.every((input) => {
      if (input.value === "") return true;
      const wanted = Number(input.value) * Number(input.dataset.unit);
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
      for (const mark of all(".tip", form.previousElementSibling)) {
        const name = mark.tip ?? mark.querySelector("title")?.textContent ?? "";
        if (name.startsWith(`${row.dataset.name}:`)) mark.classList.toggle("outside", !numbers.has(row.dataset.number));
      }
    }
    const text = fits.length ? choice(fits) : "";
    form.querySelector("output").textContent = !fits.length ? `None of ${rows.length} networks fits.`
      : limited ? `${fits.length} of ${rows.length} networks fit: ${text}` : `${text[0].toUpperCase()}${text.slice(1)}`;
  };
  const keep = () => remember(Object.fromEntries(limits.map((input) => [`${part.id}.${input.name}`, input.value])));
  for (const input of limits) input.value = state.get(`${part.id}.${input.name}`) ?? "";
  form.addEventListener("input", () => { advise(); keep(); });
  form.addEventListener("reset", () => setTimeout(() => { advise(); keep(); }));
  form.addEventListener("submit", (event) => event.preventDefault());
  advise();
}
