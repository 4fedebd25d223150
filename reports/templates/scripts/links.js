// --- A link to a record opens its page of the table; a link into the part of another machine shows that machine.
const follow = (id) => {
  for (const { grid, ids } of tables) {
    const row = ids.indexOf(id);
    if (row < 0) continue;
    grid.search("").columns().search("");
    const place = grid.draw().rows({ order: "applied" }).indexes().indexOf(row);
    if (grid.page.len() > 0) grid.page(Math.floor(place / grid.page.len())).draw("page");
    const element = grid.row(row).node();
    all("tr.found").forEach((other) => other.classList.remove("found"));
    element.classList.add("found");
    element.scrollIntoView({ block: "center" });
    element.tabIndex = -1;
    element.focus({ preventScroll: true });
    return;
  }
  const part = document.getElementById(id)?.closest(".part");
  if (part?.hidden) { show(part.id); document.getElementById(id).scrollIntoView(); }
};
const idOf = (hash) => {
  try { return decodeURIComponent(hash.slice(1)); } catch { return ""; }  // an address that is no text
};
addEventListener("hashchange", () => location.hash.includes("=") ? location.reload() : follow(idOf(location.hash)));
if (location.hash && !location.hash.includes("=")) follow(idOf(location.hash));
// Where the address already keeps what is shown, a link within the page is added to it, as `at`.
const go = (id) => {
  document.getElementById(id)?.scrollIntoView();
  follow(id);
};
addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='#']:not([download])");
  if (!link || !state.toString()) return;
  event.preventDefault();
  const id = idOf(link.hash);
  remember({ at: id });
  go(id);
});
if (state.get("at")) go(state.get("at"));
