// The middle pane of a channel or of the line to the app: header, messages, composer.
import { h, redraw } from "./dom.js";
import { icon } from "./icons.js";
import { Composer } from "./composer.js";
import { MessageList } from "./list.js";
import { popover } from "./layer.js";
import { avatar, displayName } from "./render/names.js";
import { mrkdwn } from "./render/mrkdwn.js";
import { openApp, openList } from "./route.js";
import { channelOf, markRead, mayHaveMore, readMark, roots, store } from "./store.js";
import { plural } from "./time.js";

const head = h("div.channel-head");
const scroll = h("div.messages", { role: "list", "aria-label": "Messages", tabindex: "0", data: { testid: "messages" } });
const composer = new Composer("composer");
const note = h("div.archived-note");
export const channelPane = h("div.channel-pane", null, head, scroll, h("div.composer-area", null, note, composer.node));
const list = new MessageList(scroll);
let older = () => {};
export const onOlder = (fn) => { older = fn; };
scroll.addEventListener("scroll", () => {
  const channel = channelOf(store.route.channel);
  if (scroll.scrollTop < 200 && channel && mayHaveMore(channel) && !waiting) {
    waiting = true;
    older();
  }
});
let waiting = false;
let shown = null, firstNew = null, intro = null;

export const backButton = (onclick, label = "Back") => h("button.back", { type: "button", "aria-label": label, data: { testid: "back" }, onclick }, icon("back", 22));

function members(channel, anchor) {
  popover(anchor, h("div.member-list", null, h("div.menu-title", null, plural(channel.members.length, "member")),
    channel.members.map((id) => h("div.member", null, avatar(id, 32), h("span", null, displayName(id))))), { label: "Members" });
}

function channelHead(channel) {
  const mark = icon(channel.is_private ? "lock" : "hash", 18);
  const ids = channel.members || [];
  return [
    backButton(openList, "Back to channels"),
    h("div.channel-title", null, h("h1", null, mark, h("span", null, channel.name)),
      h("span.phone-sub", null, plural(ids.length, "member")),
      channel.topic && h("span.topic", { title: channel.topic }, mrkdwn(channel.topic))),
    h("button.members", { type: "button", "aria-label": `${plural(ids.length, "member")}: view all`, "aria-expanded": "false", onclick: (e) => members(channel, e.currentTarget) },
      ids.slice(0, 3).map((id) => avatar(id, 20)), h("span", null, String(ids.length))),
  ];
}

function appHead() {
  const tab = (name, label) => h("button.tab", { type: "button", role: "tab", "aria-selected": store.route.tab === name ? "true" : "false", data: { testid: `app-tab-${name}` }, onclick: () => openApp(name) }, label);
  return [
    backButton(openList, "Back to channels"),
    h("div.channel-title", null, h("h1", null, avatar(appId(), 24), h("span", null, displayName(appId())), h("span.app-badge", null, "APP"))),
    h("div.tabs", { role: "tablist" }, tab("home", "Home"), tab("messages", "Messages")),
  ];
}
const appId = () => store.state.users.find((u) => u.is_bot)?.id;

export function drawHead(channel) {
  const isApp = store.route.kind === "app";
  channelPane.classList.toggle("is-app", isApp);
  const sign = isApp ? ["app", store.route.tab, store.me] : [channel.id, channel.name, channel.topic, channel.members, channel.is_private, channel.is_archived];
  redraw(head, sign, () => (isApp ? appHead() : channelHead(channel)));
}

function introduction(channel) {
  if (store.route.kind === "app") {
    return h("div.intro", null, h("div.intro-row", null, avatar(appId(), 64)), h("p", null, "This is the very beginning of your messages with ", h("strong", null, displayName(appId())), "."));
  }
  return h("div.intro", null, h("h2", null, icon(channel.is_private ? "lock" : "hash", 26), channel.name),
    h("p", null, "This is the very beginning of the ", h("strong", null, "#" + channel.name), " channel.", channel.topic && [" ", h("span.intro-topic", null, mrkdwn(channel.topic))]));
}

/** Where the red line stands: fixed on opening, and again when messages came while nobody looked. */
function firstUnread(channel) {
  const mark = readMark(channel.id);
  return roots(channel).find((m) => Number(m.ts) > mark && m.user !== store.me && !m.ephemeral)?.ts || null;
}

export function drawChannel(channel) {
  const key = `${channel.id}/${store.me}`;
  if (shown !== key) {
    shown = key;
    list.reset();
    firstNew = firstUnread(channel);
    intro = introduction(channel);
  }
  if (document.hidden) firstNew = firstUnread(channel) || firstNew;
  drawHead(channel);
  waiting = false;
  intro.hidden = mayHaveMore(channel);
  list.draw(roots(channel), channel, { place: "channel", firstNew, lead: intro });
  const closed = channel.is_archived;
  redraw(note, closed, () => (closed ? "This channel is archived. Its messages can be read, and nothing new can be written." : []));
  composer.node.hidden = closed;
  const name = store.route.kind === "app" ? displayName(appId()) : `#${channel.name}`;
  composer.point({ channel: channel.id, thread: null, placeholder: `Message ${name}` });
  if (!document.hidden) markRead(channel.id);
}

export function leaveChannel() { shown = null; }
export const showMessage = (ts) => list.show(ts);
