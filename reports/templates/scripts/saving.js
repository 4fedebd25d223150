// --- Save a figure as an SVG or PNG file: its panels side by side, colours and fonts filled in.
const save = (name, href) => Object.assign(document.createElement("a"), { download: name, href }).click();
const namespace = "http://www.w3.org/2000/svg";
// The legend above a figure as a group of a drawing, in lines of a width.
const legendOf = (figure, width) => {
  const entries = all(".legend li", figure);
  if (!entries.length) return null;
  const drawn = document.createElementNS(namespace, "g"), LINE = 13, MARK = 9, LETTER = 5.2;
  let left = 0, top = 0;
  for (const entry of entries) {
    const text = entry.textContent.trim(), wide = MARK + 4 + LETTER * text.length + 12;
    if (left > 0 && left + wide > width) { left = 0; top += LINE; }
    const mark = entry.querySelector("svg").cloneNode(true);
    mark.removeAttribute("class");
    for (const path of all("path", mark)) {
      path.setAttribute("fill", getComputedStyle(entry.querySelector("svg path")).fill);
      path.removeAttribute("class");
    }
    for (const [name, value] of Object.entries({ x: left, y: top, width: MARK, height: MARK })) mark.setAttribute(name, value);
    const name = document.createElementNS(namespace, "text");
    for (const [key, value] of Object.entries({ x: left + MARK + 4, y: top + 8, "font-size": 8.5, fill: "var(--ink)" })) name.setAttribute(key, value);
    name.textContent = text;
    drawn.append(mark, name);
    left += wide;
  }
  return { drawn, height: top + LINE };
};
const drawingOf = (figure) => {
  const style = getComputedStyle(document.documentElement);
  const file = document.createElementNS(namespace, "svg");
  let across = 0, down = 0;
  for (const panel of all(".panels > svg", figure)) {
    const [, , width, height] = panel.getAttribute("viewBox").split(" ").map(Number);
    const copy = panel.cloneNode(true);
    for (const [name, value] of Object.entries({ x: across, y: 0, width, height })) copy.setAttribute(name, value);
    file.append(copy);
    across += width + 12;
    down = Math.max(down, height);
  }
  const legend = legendOf(figure, Math.max(across, 200));
  if (legend) {
    legend.drawn.setAttribute("transform", `translate(6 ${down + 6})`);
    file.append(legend.drawn);
    down += legend.height + 6;
  }
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${across} ${down}`, width: `${across}pt`, height: `${down}pt`,
    "font-family": "sans-serif" })) file.setAttribute(name, value);
  const text = new XMLSerializer().serializeToString(file)
    .replace(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
  return { uri: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`, text, width: across, height: down };
};
for (const link of all("a.svg")) link.addEventListener("click", () => { link.href = drawingOf(link.closest("figure")).uri; });
const PIXELS = 3;  // of a PNG file for each point of the drawing
for (const link of all("a.png")) link.addEventListener("click", async (event) => {
  event.preventDefault();
  const { uri, width, height } = drawingOf(link.closest("figure"));
  const image = new Image();
  image.src = uri;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: PIXELS * width, height: PIXELS * height });
  const context = canvas.getContext("2d");
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  save(link.download, canvas.toDataURL("image/png"));
});
