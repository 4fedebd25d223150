// --- Show the text of a point at the pointer, sooner than the browser does, and on touch screens.
const tip = document.getElementById("tip");
const hush = () => { if (tip.matches(":popover-open")) tip.hidePopover(); };
// Show a text below and right of a place in the window; a popover is above the dialog of a chart, too.
const say = (text, left, top) => {
  tip.textContent = text;
  if (!tip.matches(":popover-open")) tip.showPopover();
  const width = document.documentElement.clientWidth;
  tip.style.left = `${Math.max(4, Math.min(left, width - tip.offsetWidth - 4)) + scrollX}px`;
  tip.style.top = `${top + scrollY}px`;
};
const REACH = 40;  // pixels
// The point under the pointer, or else the nearest one in the same panel.
const nearest = (event) => {
  const mark = event.target.closest?.(".tip"), panel = event.target.closest?.(".panels svg");
  if (mark || !panel) return mark;
  const away = (each) => {
    const box = each.getBoundingClientRect();
    return Math.hypot(box.left + box.width / 2 - event.clientX, box.top + box.height / 2 - event.clientY);
  };
  const found = all(".tip", panel).map((each) => [away(each), each]).sort(([a], [b]) => a - b)[0];
  return found && found[0] <= REACH ? found[1] : null;
};
const point = (event) => {
  const mark = nearest(event);
  for (const other of all(".tip.near")) if (other !== mark) other.classList.remove("near");
  mark?.classList.add("near");
  if (!mark) { if (!event.target.closest?.("dialog")) hush(); return; }
  mark.tip ??= mark.querySelector("title").textContent;
  mark.querySelector("title")?.remove();  // else the browser shows it a second time
  const box = mark.getBoundingClientRect();
  say(mark.tip, box.right + 8, box.bottom + 6);
};
addEventListener("pointermove", point);
addEventListener("pointerdown", point);
addEventListener("keydown", (event) => { if (event.key === "Escape") hush(); });
