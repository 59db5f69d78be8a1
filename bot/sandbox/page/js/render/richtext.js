// rich_text blocks: sections, lists, quotes and preformatted text from their elements, never parsed as mrkdwn.
import { h } from "../dom.js";
import { link } from "./link.js";
import { dateTokens, full } from "../time.js";
import { emoji, fromUnicode } from "./emoji.js";
import { channelNode, userNode } from "./names.js";

const WRAP = [["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"]];

function styled(node, style = {}) {
  let out = style.code ? h("code.code", null, node) : node;
  for (const [flag, tag] of WRAP) if (style[flag]) out = h(tag, null, out);
  return out;
}

function date(el) {
  const text = dateTokens(el.timestamp, el.format || "{date_short_pretty} at {time}");
  const node = h("time.date-token", { title: text === null ? null : full(el.timestamp) }, text ?? el.fallback ?? "");
  return el.url ? link(el.url, node) : node;
}

const LEAVES = {
  text: (el) => document.createTextNode(el.text ?? ""),
  link: (el) => link(el.url, el.text || el.url),
  user: (el) => userNode(el.user_id),
  channel: (el) => channelNode(el.channel_id),
  usergroup: (el) => h("span.mention", null, "@" + el.usergroup_id),
  broadcast: (el) => h("span.mention.mention-all", null, "@" + el.range),
  emoji: (el) => h("span.emoji", { role: "img", "aria-label": el.name }, (el.unicode && fromUnicode(el.unicode)) || emoji(el.name) || `:${el.name}:`),
  date,
  color: (el) => h("code.code", null, el.value),
};

const leaf = (el) => styled((LEAVES[el.type] || (() => document.createTextNode(el.text ?? "")))(el), el.style);
const leaves = (elements) => (elements || []).map(leaf);

function list(el) {
  const tag = el.style === "ordered" ? "ol.rich-list" : "ul.rich-list";
  const node = h(tag, { class: `indent-${Math.min(el.indent || 0, 8)}`, start: el.offset ? el.offset + 1 : null },
    (el.elements || []).map((item) => h("li", null, leaves(item.elements))));
  return el.border ? h("blockquote.quote", null, node) : node;
}

const PARTS = {
  rich_text_section: (el) => h("div.rich-section", null, leaves(el.elements)),
  rich_text_list: list,
  rich_text_quote: (el) => h("blockquote.quote", null, leaves(el.elements)),
  rich_text_preformatted: (el) => h("pre.pre", null, leaves(el.elements)),
};

export function richText(block) {
  return h("div.rich", null, (block.elements || []).map((el) => (PARTS[el.type] || PARTS.rich_text_section)(el)));
}
