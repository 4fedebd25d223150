// --- Copy a table as Markdown, LaTeX or CSV: what its cells show, a note behind the value that it belongs to.
const cells = (row) => [...row.cells].map((cell) => {
  const note = cell.querySelector("small")?.textContent ?? "";
  const text = cell.textContent.slice(0, cell.textContent.length - note.length);
  return `${text.trim()}${note ? ` (${note.trim()})` : ""}`.replace(/[\u00a0\u2060]/g, (letter) => letter === "\u00a0" ? " " : "");
});
const LATEX = { "\\": "\\textbackslash{}", "±": "$\\pm$", "×": "$\\times$", "µ": "$\\mu$", "−": "$-$", "→": "$\\to$", "⁶": "$^6$", "·": "$\\cdot$",
  "–": "--", "|": "$|$", "<": "$<$", ">": "$>$", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", ...Object.fromEntries([..."&%$#_{}"].map((letter) => [letter, `\\${letter}`])) };
const FORMS = {
  Markdown: (head, body) => [head, head.map(() => "---"), ...body].map((row) => `| ${row.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`).join("\n"),
  LaTeX: (head, body) => {
    const line = (row) => `${row.map((text) => [...text].map((letter) => LATEX[letter] ?? letter).join("")).join(" & ")} \\\\`;
    return [`\\begin{tabular}{l${"r".repeat(head.length - 1)}}`, "\\hline", line(head), "\\hline", ...body.map(line), "\\hline", "\\end{tabular}"].join("\n");
  },
  CSV: (head, body) => [head, ...body].map((row) => row.map((text) => /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text).join(",")).join("\n"),
};
// Make a button copy a text, and say whether it did.
const copies = (button, said, text) => button.addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(text());
    said.textContent = " copied";
  } catch {  // a page that was not opened from a file or by https has no clipboard
    said.textContent = " not copied: the browser allows it for files and https alone";
  }
  setTimeout(() => { said.textContent = ""; }, 2000);
});
for (const line of all("p.copies")) {
  const said = document.createElement("span"), { name } = line.dataset;
  said.setAttribute("role", "status");
  const button = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: `Copy ${name}` });
  copies(button, said, () => document.querySelector(line.dataset.copies).textContent);
  line.append(button, said);
}
for (const table of all(".scroll:not(.tall) > table")) {
  const line = document.createElement("p"), said = document.createElement("span");
  line.className = "files copy";
  said.setAttribute("role", "status");
  line.append("Copy: ");
  for (const [name, write] of Object.entries(FORMS)) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: name });
    button.setAttribute("aria-label", `Copy “${table.caption.textContent}” as ${name}`);
    copies(button, said, () => write(cells(table.tHead.rows[0]), [...table.tBodies[0].rows].map(cells)));
    line.append(button, " ");
  }
  line.append(said);
  table.parentElement.after(line);
}
