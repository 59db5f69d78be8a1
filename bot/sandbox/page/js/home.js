// The app's Home tab, and the page of what has pinged the person.
import { h, redraw } from "./dom.js";
import { icon } from "./icons.js";
import { openHome } from "./acts.js";
import { backButton } from "./channel.js";
import { avatar, displayName } from "./render/names.js";
import { blocks } from "./render/blocks.js";
import { mrkdwn } from "./render/mrkdwn.js";
import { openChannel, openList, openThread } from "./route.js";
import { channelOf, messageOf, store, isReply } from "./store.js";
import { dayAndTime, now } from "./time.js";

export const homePane = h("div.home-pane", { data: { testid: "home" } });
export const activityPane = h("div.activity-pane", { data: { testid: "activity" } });
const raws = new Map();
let opened = null;

/** Opening Home tells the app once per visit and person. */
export function visitHome() {
  const visit = `${store.me}`;
  if (opened === visit) return;
  opened = visit;
  openHome();
}
export const leaveHome = () => { opened = null; };

export function drawHome() {
  const view = store.state.homes?.[store.me];
  const pending = [...store.pending].filter((key) => view && key.startsWith(`${view.id}/`));
  redraw(homePane, [store.me, view, Math.floor(now() / 30), pending, view && store.errors.get(view.id)], () => (view ? content(view) : empty()));
}

function content(view) {
  if (!raws.has(view.id)) raws.set(view.id, new Map());
  const ctx = { source: { view_id: view.id }, raw: raws.get(view.id), blocks: view.blocks, prefix: "home", whole: true };
  const said = store.errors.get(view.id);
  return h("div.home-inside", null, said && h("div.dialog-error", { role: "alert" }, icon("warning", 18), h("span", null, said)), blocks(view.blocks, ctx));
}

function empty() {
  const app = store.state.users.find((u) => u.is_bot);
  return h("div.home-empty", null, app && avatar(app.id, 64), h("h2", null, "This is a work in progress"),
    h("p", null, `${app ? displayName(app.id) : "The app"} has not drawn its Home for ${displayName(store.me)} yet.`));
}

function item(n) {
  const channel = channelOf(n.channel);
  const m = messageOf(channel, n.ts);
  const go = () => (m && isReply(m) ? openThread(n.channel, m.thread_ts) : openChannel(n.channel));
  const where = channel?.is_im ? "Direct message" : `#${channel?.name || n.channel}`;
  return h("button.activity-item", { type: "button", onclick: go }, avatar(m?.user || store.state.users.find((u) => u.is_bot)?.id, 36),
    h("span.activity-words", null, h("span.activity-where", null, icon("at", 14), `${where} · ${dayAndTime(n.ts)}`), h("span.activity-text", null, mrkdwn(n.text, { verbatim: true }))));
}

export function drawActivity() {
  const mine = (store.state.notifications || []).filter((n) => n.user === store.me).slice(-80).reverse();
  redraw(activityPane, [store.me, mine], () => [
    h("div.channel-head", null, backButton(openList), h("div.channel-title", null, h("h1", null, h("span", null, "Activity")))),
    h("div.activity-list", null, mine.length ? mine.map(item) : h("div.home-empty", null, h("h2", null, "Nothing here yet"), h("p", null, `Mentions and messages to ${displayName(store.me)} will stand here.`))),
  ]);
}
