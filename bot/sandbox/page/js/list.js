// A list of messages kept in step with the state: only changed rows are redrawn, the reader's place is kept.
import { forget, h, keep } from "./dom.js";
import { sourceKey } from "./acts.js";
import { fillRow, messageRow } from "./message.js";
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
    out.push({ key: `m-${m.ephemeral ? "e" : ""}${m.ts}`, sign: signature(m, channel, options), draw: () => messageRow(m, channel, options), update: (row) => fillRow(row, m, channel, options) });
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
    this.stick = true;    // the end is in sight and stays so
    this.put = 0;         // where we scrolled to last
    node.addEventListener("scroll", () => this.look());
    new ResizeObserver(() => this.follow()).observe(node);
  }

  look() { this.stick = this.node.scrollHeight - this.node.scrollTop - this.node.clientHeight < NEAR; }

  /** Stays at the end, unless the reader has scrolled: the event that says so may come after the next message. */
  follow() {
    if (this.stick && this.node.scrollTop < this.put) this.look();
    if (!this.stick) return;
    this.node.scrollTop = this.node.scrollHeight;
    this.put = this.node.scrollTop;
  }

  /** Starts over, for another channel or person. */
  reset() {
    forget(this.node);
    this.stick = true;
    this.put = 0;
  }

  draw(messages, channel, options) {
    if (this.stick && this.node.scrollTop < this.put) this.look();
    const anchor = this.stick ? null : this.anchor();
    if (options.lead && this.node.firstChild !== options.lead) this.node.prepend(options.lead);
    keep(this.node, plan(messages, channel, options), options.lead);
    if (this.stick) this.follow();
    else if (anchor?.row.isConnected) this.node.scrollTop += anchor.row.getBoundingClientRect().top - anchor.top;
  }

  /** The first message in sight, which stays where it is. */
  anchor() {
    const top = this.node.getBoundingClientRect().top;
    const row = [...this.node.querySelectorAll(":scope > .message")].find((n) => n.getBoundingClientRect().bottom > top);
    return row ? { row, top: row.getBoundingClientRect().top } : null;
  }

  /** Brings a message into sight; says whether it is here. */
  show(ts) {
    const row = [...this.node.querySelectorAll(":scope > .message")].find((n) => n.dataset.ts === ts);
    if (!row) return false;
    this.stick = false;
    row.scrollIntoView({ block: "center" });
    row.classList.add("flash");
    setTimeout(() => row.classList.remove("flash"), 1600);
    return true;
  }
}
