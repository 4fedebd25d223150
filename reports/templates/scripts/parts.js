// --- Show one set of results at a time.
const selector = document.getElementById("selector");
const parts = all(".part");
const show = (id) => {
  for (const part of parts) part.hidden = part.id !== id;
  for (const entry of all("nav [data-part]")) entry.hidden = entry.dataset.part !== id;
  selector.value = id;
};
if (selector) {
  selector.addEventListener("change", () => {
    show(selector.value);
    remember({ show: selector.value });
  });
  show(parts.some((part) => part.id === state.get("show")) ? state.get("show") : parts[0].id);
}

// --- The contents name the section in sight.
const entries = new Map(all(".contents a").map((link) => [link.hash.slice(1), link]));
const seen = new Set();
const watcher = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) seen[isIntersecting ? "add" : "delete"](target.id);
  const current = [...entries.keys()].find((id) => seen.has(id));
  for (const [id, link] of entries) {
    if (id !== current) link.removeAttribute("aria-current");
    else if (!link.hasAttribute("aria-current")) {
      link.setAttribute("aria-current", "true");
      const box = link.closest(".contents");  // scrolls in itself, not the page
      box.scrollTo({ left: link.offsetLeft - box.clientWidth / 3, top: link.offsetTop - box.clientHeight / 2 });
    }
  }
}, { rootMargin: "-10% 0px -60% 0px" });
for (const section of all("section[id]")) watcher.observe(section);
