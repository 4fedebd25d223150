// --- Everything as one archive: the data, and every figure as SVG, in a tar file packed by gzip.
const BLOCK = 512;
const tarEntry = (name, content) => {
  const head = new Uint8Array(BLOCK), write = (text, at) => head.set(new TextEncoder().encode(text), at);
  const octal = (number, length) => number.toString(8).padStart(length, "0");
  write(name.slice(0, 99), 0);
  write("0000644\x000000000\x000000000\x00", 100);  // mode, user, group
  write(`${octal(content.length, 11)}\x00${octal(0, 11)}\x00        0`, 124);
  write("ustar\x0000", 257);
  write(`${octal(head.reduce((sum, byte) => sum + byte, 0), 6)}\x00 `, 148);
  return [head, content, new Uint8Array((BLOCK - content.length % BLOCK) % BLOCK)];
};
document.getElementById("archive")?.addEventListener("click", async (event) => {
  event.preventDefault();
  const data = all("#data a[download][href^='data:']").map((link) => tarEntry(`report/data/${link.download}`, bytesOf(link.href.split(",")[1])));
  const drawings = all("figure").filter((figure) => figure.querySelector(".panels svg"))
    .map((figure) => tarEntry(`report/figures/${figure.id}.svg`, new TextEncoder().encode(drawingOf(figure).text)));
  const tar = new Blob([...data.flat(), ...drawings.flat(), new Uint8Array(2 * BLOCK)]);
  const file = await new Response(tar.stream().pipeThrough(new CompressionStream("gzip"))).blob();
  save(event.target.download, URL.createObjectURL(file));
});
