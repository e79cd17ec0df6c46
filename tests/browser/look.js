// What is wrong with a page for somebody who looks at it, or hears it: text too faint (WCAG 2.2, 1.4.3: 4.5 to 1, or
// 3 to 1 for large text), controls without a name, ids that stand twice, a page wider than its window. Colours are read
// through a canvas, since computed styles come in whatever space they were written in.
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return Array.from(canvas.getImageData(0, 0, 1, 1).data);
  };
  const over = (top, below) => {
    const a = top[3] / 255;
    return [0, 1, 2].map((i) => top[i] * a + below[i] * (1 - a)).concat(255);
  };
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 255]);
  };
  const light = (c) => {
    const [r, g, b] = c.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = Array.from(element.childNodes).some((n) => n.nodeType === 3 && n.textContent.trim());
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    if (!own || !box.width || style.visibility === "hidden" || element.closest("svg, option, dialog:not([open])")) continue;
    const ground = behind(element);
    const [a, b] = [light(over(rgba(style.color), ground)), light(ground)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const icon = element.matches(".material-symbols-outlined"); // 1.4.11: 3 to 1
    const large = icon || parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.6 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) faint.push(`${element.className || element.tagName}: ${element.textContent.trim().slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  const named = (e) => e.getAttribute("aria-label") || e.title || e.textContent.trim() || (e.labels && e.labels.length);
  const nameless = Array.from(document.querySelectorAll("button, a[href], input:not([type=hidden]), select, textarea, summary"))
    .filter((e) => e.offsetParent && !named(e)).map((e) => e.outerHTML.slice(0, 90));
  const ids = Array.from(document.querySelectorAll("[id]")).map((e) => e.id);
  return {
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    headings: document.querySelectorAll("h1").length,
    faint: Array.from(new Set(faint)).slice(0, 5),
    nameless: nameless.slice(0, 5),
    twice: ids.filter((id, at) => ids.indexOf(id) !== at),
  };
}
