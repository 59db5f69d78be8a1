// Notifications: a card at the top right for the acting person, and new messages told to screen readers.
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { avatar, displayName } from "./render/names.js";
import { mrkdwn, unescape } from "./render/mrkdwn.js";
import { openChannel, openThread } from "./route.js";
import { bot, channelOf, isReply, messageOf, store } from "./store.js";

const LIFE = 7000;
const root = document.getElementById("toasts");
const live = document.getElementById("live");
let known = null, heard = null;

const key = (n) => `${n.user}/${n.channel}/${n.ts}`;

function where(n) {
  const channel = channelOf(n.channel);
  return channel?.is_im ? "direct message" : `#${channel?.name || n.channel}`;
}

function go(n) {
  const m = messageOf(channelOf(n.channel), n.ts);
  if (m && isReply(m)) openThread(n.channel, m.thread_ts);
  else openChannel(n.channel);
}

function show(n) {
  const m = messageOf(channelOf(n.channel), n.ts);
  const close = () => { node.classList.add("going"); setTimeout(() => node.remove(), 200); };
  const node = h("div.toast", { data: { testid: "toast" } },
    h("button.toast-body", { type: "button", onclick: () => { close(); go(n); } }, avatar(m?.user || bot()?.id, 36),
      h("span.toast-words", null, h("span.toast-title", null, `${displayName(store.me)}, ${where(n)}:`), h("span.toast-text", null, mrkdwn(n.text, { verbatim: true })))),
    h("button.toast-close", { type: "button", "aria-label": "Dismiss notification", onclick: close }, icon("close", 16)));
  root.append(node);
  while (root.children.length > 3) root.firstChild.remove();
  setTimeout(close, LIFE);
}

/** Forgets what was told: another person acts now. */
export function resetToasts() { known = null; heard = null; root.replaceChildren(); }

export function drawToasts() {
  const mine = (store.state.notifications || []).filter((n) => n.user === store.me);
  const keys = new Set(mine.map(key));
  if (known) mine.filter((n) => !known.has(key(n))).slice(-3).forEach(show);
  known = keys;
}

export function announce(channel) {
  const newest = channel?.messages[channel.messages.length - 1];
  const mark = newest ? `${channel.id}/${newest.ts}` : `${channel?.id}/0`;
  if (heard && heard !== mark && heard.split("/")[0] === channel?.id && newest && Number(newest.ts) > Number(heard.split("/")[1])) {
    live.textContent = `${displayName(newest.user)}: ${unescape(newest.text || "").slice(0, 200)}`;
  }
  heard = mark;
}
