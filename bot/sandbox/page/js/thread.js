// The pane at the right: one message and its replies.
import { h, redraw } from "./dom.js";
import { icon } from "./icons.js";
import { backButton } from "./channel.js";
import { Composer } from "./composer.js";
import { MessageList } from "./list.js";
import { displayName } from "./render/names.js";
import { closeThread } from "./route.js";
import { messageOf, repliesOf, store } from "./store.js";
import { plural } from "./time.js";

const head = h("div.thread-head");
const scroll = h("div.messages.thread-messages", { role: "list", "aria-label": "Thread", tabindex: "0" });
const composer = new Composer("thread-composer");
export const threadPane = h("aside.thread-pane", { "aria-label": "Thread", hidden: true, data: { testid: "thread-pane" } }, head, scroll, h("div.composer-area", null, composer.node));
const list = new MessageList(scroll);
let shown = null;

const place = (channel) => (channel.is_im ? displayName(store.state.users.find((u) => u.is_bot)?.id) : `#${channel.name}`);

function drawHead(channel) {
  return [backButton(closeThread, "Back to the channel"),
    h("div.thread-title", null, h("h2", null, "Thread"), h("span.thread-place", null, place(channel))),
    h("button.icon-button.thread-close", { type: "button", "aria-label": "Close thread", data: { testid: "thread-close" }, onclick: closeThread }, icon("close", 20))];
}

function countLine(messages) {
  const n = messages.length - 1;
  return { key: "count", sign: String(n), draw: () => h("div.reply-count", { role: "separator" }, n ? h("span", null, plural(n, "reply")) : "") };
}

export function drawThread(channel) {
  const ts = store.route.thread;
  const parent = channel && ts ? messageOf(channel, ts) : null;
  threadPane.hidden = !parent;
  if (!parent) {
    if (shown) { shown = null; list.reset(); }
    return;
  }
  const key = `${channel.id}/${ts}/${store.me}`;
  if (shown !== key) { shown = key; list.reset(); }
  redraw(head, [channel.id, place(channel)], () => drawHead(channel));
  list.draw([parent, ...repliesOf(channel, ts, true)], channel, { place: "thread", extra: countLine });
  composer.node.hidden = channel.is_archived;
  composer.point({ channel: channel.id, thread: ts, placeholder: "Reply…" });
}

export const showReply = (ts) => list.show(ts);
