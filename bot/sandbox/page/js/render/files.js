// Files and pictures on a message. Only the sandbox's own addresses are opened or shown.
import { h, localImage } from "../dom.js";
import { icon } from "../icons.js";

const SIZES = ["bytes", "kB", "MB", "GB"];
function size(bytes) {
  let n = Number(bytes);
  if (!Number.isFinite(n) || n <= 0) return "";
  let step = 0;
  while (n >= 1000 && step < 3) { n /= 1000; step += 1; }
  return `${step ? n.toFixed(n < 10 ? 1 : 0) : n} ${SIZES[step]}`;
}

function card(file) {
  const url = localImage(file.url_private_download || file.url_private || file.permalink);
  const kind = (file.pretty_type || file.filetype || (file.name || "").split(".").pop() || "file").toUpperCase();
  const inside = [h("span.file-icon", null, icon("file", 22)),
    h("span.file-words", null, h("span.file-name", null, file.title || file.name || "Untitled"),
      h("span.file-kind", null, [kind, size(file.size)].filter(Boolean).join(" · ")))];
  if (!url) return h("div.file", null, inside);
  return h("a.file", { href: url, target: "_blank", rel: "noopener noreferrer", download: file.name || "", "aria-label": `Download ${file.name || "file"}` },
    inside, h("span.file-get", null, icon("download", 18)));
}

function snippet(file) {
  if (!file.preview) return null;
  return h("pre.pre.file-preview", null, String(file.preview).slice(0, 1500));
}

const isPicture = (file) => String(file.mimetype || "").startsWith("image/") || /^(png|jpe?g|gif|webp)$/i.test(file.filetype || "");

function one(file) {
  const url = isPicture(file) && localImage(file.url_private || file.thumb_360);
  if (url) return h("figure.file-picture", null, h("figcaption", null, file.title || file.name), h("img.block-image", { src: url, alt: file.alt_txt || file.title || file.name || "", loading: "lazy" }));
  return h("div.file-wrap", null, card(file), snippet(file));
}

export const files = (list) => h("div.files", null, (list || []).map(one));
