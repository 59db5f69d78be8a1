// The page of threads: those the person wrote in or was named in, the latest first.
import { h, redraw } from "./dom.js";
import { icon } from "./icons.js";
import { backButton } from "./channel.js";
import { messageRow } from "./message.js";
import { openList, openThread } from "./route.js";
import { messageOf, repliesOf, store } from "./store.js";
import { displayName } from "./render/names.js";
import { plural } from "./time.js";

const SHOWN = 2, MOST = 25;
const body = h("div.threads-list");
const head = h("div.channel-head", null, backButton(openList), h("div.channel-title", null, h("h1", null, h("span", null, "Threads"))));
export const threadsPane = h("div.threads-pane", { hidden: true, data: { testid: "threads" } }, head, body);

const concerns = (m) => m.user === store.me || JSON.stringify([m.text, m.blocks]).includes(store.me);

function found() {
  const out = [];
  store.state.channels.forEach((channel) => {
    const roots = new Set(channel.messages.filter((m) => m.thread_ts && m.thread_ts !== m.ts).map((m) => m.thread_ts));
    roots.forEach((ts) => {
      const parent = messageOf(channel, ts);
      const replies = repliesOf(channel, ts);
      if (parent && [parent, ...replies].some(concerns)) out.push({ channel, parent, replies });
    });
  });
  return out.sort((a, b) => Number(b.replies.at(-1).ts) - Number(a.replies.at(-1).ts)).slice(0, MOST);
}

function one({ channel, parent, replies }) {
  const hidden = replies.length - SHOWN;
  const open = () => openThread(channel.id, parent.ts);
  const row = (m) => messageRow(m, channel, { place: "thread" });
  return h("section.thread-card", null,
    h("button.thread-card-head", { type: "button", onclick: open }, channel.is_im ? displayName(store.state.users.find((u) => u.is_bot)?.id) : [icon("hash", 15), channel.name]),
    row(parent), hidden > 0 && h("button.thread-more", { type: "button", onclick: open }, `Show ${plural(hidden, "more reply")}`),
    replies.slice(-SHOWN).map(row), h("button.btn.thread-answer", { type: "button", onclick: open }, "Reply…"));
}

export function drawThreads() {
  const threads = found();
  const sign = [store.me, [...store.pending], [...store.errors], threads.map((t) => [t.channel.id, t.parent, t.replies.length, t.replies.slice(-SHOWN)])];
  redraw(body, sign, () => (threads.length ? threads.map(one)
    : h("div.home-empty", null, h("h2", null, "No threads yet"), h("p", null, "Threads that you write in or are named in will stand here."))));
}
