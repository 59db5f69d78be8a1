// A link in a text: into this workspace it opens in the page, elsewhere in a window of its own.
import { h, safeUrl } from "../dom.js";
import { linkHere } from "../permalink.js";

export function link(url, ...children) {
  const here = linkHere(url);
  if (here) return h("a.link", here, ...children);
  const href = safeUrl(url);
  if (!href) return h("span", null, ...children);
  return h("a.link", { href, target: "_blank", rel: "noopener noreferrer" }, ...children);
}
