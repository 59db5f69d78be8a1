// Slack's mrkdwn to DOM nodes. Reads text, writes text nodes: there is no way from here to HTML.
import { h } from "../dom.js";
import { link } from "./link.js";
import { dateTokens, full } from "../time.js";
import { channelNode, userNode } from "./names.js";
import { emoji } from "./emoji.js";

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };
export const unescape = (text) => String(text).replace(/&(?:lt|gt|amp);/g, (m) => ENTITIES[m]);

const STYLES = { "*": "strong", _: "em", "~": "s" };
const BARE_URL = /^https?:\/\/[^\s<>|]+/i;
const BEFORE = /[\s([{"'“‘>*_~—–\-/.,:;!?|&]/;
const WORD = /[\p{L}\p{N}]/u;

function angle(body, options) {
  const bar = body.indexOf("|");
  const target = bar < 0 ? body : body.slice(0, bar);
  const label = bar < 0 ? null : body.slice(bar + 1);
  if (target.startsWith("@")) return userNode(target.slice(1), label && unescape(label));
  if (target.startsWith("#")) return channelNode(target.slice(1), label && unescape(label));
  if (target.startsWith("!date^")) return dateNode(target, label, options.opens);
  if (target.startsWith("!subteam^")) return h("span.mention", null, unescape(label || "@group"));
  if (/^!(here|channel|everyone)$/.test(target)) return h("span.mention.mention-all", null, "@" + target.slice(1));
  if (target.startsWith("!")) return document.createTextNode(unescape(label || `<${target}>`));
  if (!/^(https?:|mailto:)/i.test(target)) return document.createTextNode(unescape(`<${body}>`));
  const shown = label === null ? unescape(target).replace(/^mailto:/, "") : null;
  return link(unescape(target), ...(shown ? [shown] : inline(label, { ...options, autolink: false })));
}

function dateNode(target, label, opens) {
  const [, ts, format, url] = target.split("^");
  const text = dateTokens(ts, unescape(format || ""), opens);
  const shown = text === null ? unescape(label || "") : text;
  const node = h("time.date-token", { title: text === null ? null : full(ts) }, shown);
  return url ? link(unescape(url), node) : node;
}

function codeSpan(text, at) {
  const end = text.indexOf("`", at + 1);
  const body = end < 0 ? "" : text.slice(at + 1, end);
  if (!body.trim() || body.includes("\n")) return null;
  return { node: h("code.code", null, unescape(body)), next: end + 1 };
}

/** The end of *bold*: its mark must hug a character before it and no word may follow. */
function closing(text, mark, from) {
  for (let i = from + 1; i < text.length; i += 1) {
    if (text[i] === "\n") return -1;
    if (text[i] === "`") i = skipTo(text, "`", i);
    else if (text[i] === "<") i = skipTo(text, ">", i);
    else if (text[i] === mark && !/\s/.test(text[i - 1]) && !WORD.test(text[i + 1] || " ")) return i;
  }
  return -1;
}

function skipTo(text, mark, from) {
  const end = text.indexOf(mark, from + 1);
  return end < 0 ? from : end;
}

function styled(text, at, options) {
  const mark = text[at];
  if (at > 0 && !BEFORE.test(text[at - 1])) return null;
  if (at > 0 && text[at - 1] === mark) return null;
  if (!text[at + 1] || /\s/.test(text[at + 1]) || text[at + 1] === mark) return null;
  const end = closing(text, mark, at);
  if (end < 0) return null;
  return { node: h(STYLES[mark], null, ...inline(text.slice(at + 1, end), options)), next: end + 1 };
}

function bareLink(text, at) {
  if (at > 0 && WORD.test(text[at - 1])) return null;
  const found = BARE_URL.exec(text.slice(at));
  if (!found) return null;
  const url = found[0].replace(/[.,;:!?)\]}'"*_~]+$/, "");
  return { node: link(unescape(url), unescape(url)), next: at + url.length };
}

function shortcode(text, at) {
  const found = /^:([a-z0-9_+'-]+):(?::skin-tone-\d:)?/.exec(text.slice(at, at + 60));
  const glyph = found && emoji(found[1]);
  if (!glyph) return null;
  return { node: h("span.emoji", { role: "img", title: `:${found[1]}:`, "aria-label": found[1] }, glyph), next: at + found[0].length };
}

function tokenAt(text, at, options) {
  const c = text[at];
  if (c === "`") return codeSpan(text, at);
  if (c === "<") {
    const end = text.indexOf(">", at);
    return end > at + 1 ? { node: angle(text.slice(at + 1, end), { ...options, opens: at === 0 || text[at - 1] === "\n" }), next: end + 1 } : null;
  }
  if (STYLES[c]) return styled(text, at, options);
  if (c === ":" && options.emoji !== false) return shortcode(text, at);
  if ((c === "h" || c === "H") && options.autolink !== false) return bareLink(text, at);
  return null;
}

/** One line's (or paragraph's) inline marks. */
export function inline(text, options = {}) {
  const out = [];
  let plain = 0;
  let at = 0;
  const flush = (to) => to > plain && out.push(document.createTextNode(unescape(text.slice(plain, to))));
  while (at < text.length) {
    const token = tokenAt(text, at, options);
    if (!token) { at += 1; continue; }
    flush(at);
    out.push(token.node);
    at = plain = token.next;
  }
  flush(text.length);
  return out;
}

const QUOTE = /^(?:&gt;|>) ?/;
const BULLET = /^(\s*)(•|◦|▪︎|▪|-|\d{1,3}\.)(\s+)(?=\S)/;

function lines(text, options) {
  const out = [];
  let quote = null;
  let open = null;
  text.split("\n").forEach((line) => {
    if (QUOTE.test(line)) {
      open = null;
      if (!quote) out.push((quote = h("blockquote.quote")));
      quote.append(h("div.line", null, ...inline(line.replace(QUOTE, ""), options)));
      return;
    }
    quote = null;
    if (BULLET.test(line)) {
      open = null;
      out.push(h("div.line.bullet", null, ...inline(line, options)));
    } else if (open) open.append("\n", ...inline(line, options));
    else out.push((open = h("div.line", null, ...inline(line, options))));
  });
  return out;
}

/** The line breaks that touch a ``` block belong to it. */
function trimmed(part, at) {
  const head = at ? part.replace(/^\n/, "") : part;
  return head.endsWith("\n") ? head.slice(0, -1) : head;
}

/** A whole mrkdwn text: ```pre``` blocks, quotes, lines. */
export function mrkdwn(text, { verbatim = false, emoji: withEmoji = true } = {}) {
  const options = { autolink: !verbatim, emoji: withEmoji };
  const root = h("div.mrkdwn");
  String(text ?? "").split(/```([\s\S]+?)```/).forEach((part, i) => {
    if (i % 2) root.append(h("pre.pre", null, unescape(part.replace(/^\n|\n$/g, ""))));
    else if (part && (part.trim() || i === 0)) root.append(...lines(trimmed(part, i), options));
  });
  return root;
}

/** plain_text: only emoji are read, and only if the object allows it. */
export function plainText(object) {
  const text = String(object?.text ?? object ?? "");
  if (object?.emoji === false) return [document.createTextNode(text)];
  const out = [];
  let rest = text;
  for (let at = rest.indexOf(":"); at >= 0; at = rest.indexOf(":", at)) {
    const token = shortcode(rest, at);
    if (!token) { at += 1; continue; }
    out.push(rest.slice(0, at), token.node);
    rest = rest.slice(token.next);
    at = 0;
  }
  return [...out, rest].map((p) => (p instanceof Node ? p : document.createTextNode(p)));
}

/** A text object of Block Kit, whichever kind it is. */
export function textObject(object) {
  if (!object) return h("span");
  if (object.type === "mrkdwn") return mrkdwn(object.text, object);
  return h("div.plain", null, ...plainText(object));
}
