// Long text folds behind "See more", as Slack folds long sections of apps.
import { h } from "../dom.js";

const LONG = 700;

export function collapsible(node) {
  const text = node.textContent || "";
  if (text.length < LONG && text.split("\n").length < 14) return node;
  const body = h("div.folded", null, node);
  const more = h("button.text-button", {
    type: "button", onclick: () => {
      const folded = body.classList.toggle("folded");
      more.textContent = folded ? "See more" : "See less";
    },
  }, "See more");
  return h("div.collapsible", null, body, more);
}
