// --- Save a figure as an SVG or PNG file: its panels side by side, colours and fonts filled in.
const save = (name, href) => Object.assign(document.createElement("a"), { download: name, href }).click();
const namespace = "http://www.w3.org/2000/svg";
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
