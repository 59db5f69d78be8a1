// A list of messages kept in step with the state: only changed rows are redrawn, the reader's place is kept.
import { focusAgain, h } from "./dom.js";
import { sourceKey } from "./acts.js";
import { messageRow } from "./message.js";
import { repliesOf, store } from "./store.js";
import { dayKey, dayTitle, now } from "./time.js";

const NEAR = 48;
const sameVoice = (a, b) => a && a.user === b.user && !a.ephemeral && !b.ephemeral && (a.bot_id || "") === (b.bot_id || "")
  && a.subtype !== "thread_broadcast" && b.subtype !== "thread_broadcast" && Number(b.ts) - Number(a.ts) < 300
  && dayKey(a.ts) === dayKey(b.ts);

function pendingOf(channelId, ts) {
  const prefix = sourceKey({ channel: channelId, ts }) + "/";
  return [...store.pending].filter((key) => key.startsWith(prefix));
}

function signature(m, channel, options) {
  const replies = options.place === "thread" ? [] : repliesOf(channel, m.ts).map((r) => [r.ts, r.user]);
  const said = JSON.stringify(m);
  const moves = said.includes("{ago}") || (replies.length && now() - Number(replies.at(-1)[0]) < 3700);
  const age = moves ? Math.floor(now() / 30) : dayKey(now());
  return said + JSON.stringify([options, store.me, replies, pendingOf(channel.id, m.ts), store.errors.get(`${channel.id}/${m.ts}`) || null, age]);
}

/** What stands in the list, in order: day lines, the line of what is new, messages. */
function plan(messages, channel, { place, firstNew, extra }) {
  const out = [];
  let before = null, marked = false;
  messages.forEach((m, i) => {
    const newDay = !before || dayKey(before.ts) !== dayKey(m.ts);
    const fresh = !marked && Boolean(firstNew) && m.ts === firstNew;
    if (newDay && place !== "thread") out.push({ key: `day-${dayKey(m.ts)}`, sign: dayTitle(m.ts) + fresh, draw: () => dayLine(m.ts) });
    if (fresh) { marked = true; out.push({ key: "new", sign: "new", draw: newLine }); }
    const options = { place, compact: !newDay && !fresh && sameVoice(before, m) };
    if (place === "thread" && i === 0) options.compact = false;
    out.push({ key: `m-${m.ephemeral ? "e" : ""}${m.ts}`, sign: signature(m, channel, options), draw: () => messageRow(m, channel, options) });
    before = m;
    if (extra && i === 0) out.push(extra(messages));
    if (extra && i === 0) before = null;
  });
  return out;
}

const dayLine = (ts) => h("div.day", { role: "separator" }, h("span.day-pill", null, dayTitle(ts)));
const newLine = () => h("div.new-line", { role: "separator", "aria-label": "New messages" }, h("span", null, "New"));

export class MessageList {
  constructor(node) {
    this.node = node;
    this.rows = new Map();
    this.stick = true;
    node.addEventListener("scroll", () => { this.stick = node.scrollHeight - node.scrollTop - node.clientHeight < NEAR; });
    new ResizeObserver(() => this.stick && this.toEnd()).observe(node);
  }

  toEnd() { this.node.scrollTop = this.node.scrollHeight; }

  /** Starts over, for another channel or person. */
  reset() {
    this.rows.clear();
    this.node.replaceChildren();
    this.stick = true;
  }

  draw(messages, channel, options) {
    const anchor = this.stick ? null : this.anchor();
    const wanted = plan(messages, channel, options);
    const keep = new Set(wanted.map((item) => item.key));
    for (const [key, row] of this.rows) if (!keep.has(key)) { row.node.remove(); this.rows.delete(key); }
    const nodes = wanted.map((item) => this.row(item));   // first redrawn where they stand, then put in order
    let at = options.lead ? this.lead(options.lead) : this.node.firstChild;
    nodes.forEach((node) => {
      if (node === at) at = at.nextSibling;
      else this.node.insertBefore(node, at);
    });
    if (this.stick) this.toEnd();
    else if (anchor && this.rows.has(anchor.key)) this.node.scrollTop += this.rows.get(anchor.key).node.getBoundingClientRect().top - anchor.top;
  }

  lead(node) {
    if (this.node.firstChild !== node) this.node.prepend(node);
    return node.nextSibling;
  }

  row(item) {
    const known = this.rows.get(item.key);
    if (known && known.sign === item.sign) return known.node;
    const node = item.draw();
    node.dataset.row = item.key;
    if (known) {
      const focused = known.node.contains(document.activeElement) ? document.activeElement.dataset.focusId : null;
      known.node.replaceWith(node);
      if (focused) focusAgain(node, focused);
    }
    this.rows.set(item.key, { node, sign: item.sign });
    return node;
  }

  /** The first message in sight, which stays where it is. */
  anchor() {
    const top = this.node.getBoundingClientRect().top;
    const seen = [...this.node.querySelectorAll(":scope > .message")].find((n) => n.getBoundingClientRect().bottom > top);
    return seen ? { key: seen.dataset.row, top: seen.getBoundingClientRect().top } : null;
  }

  show(ts) {
    const row = this.rows.get(`m-${ts}`);
    if (!row) return;
    this.stick = false;
    row.node.scrollIntoView({ block: "center" });
    row.node.classList.add("flash");
    setTimeout(() => row.node.classList.remove("flash"), 1600);
  }
}
