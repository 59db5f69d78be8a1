// The rail, the list of channels and apps, and the phone's first pane with its bottom tabs.
import { h, redraw } from "./dom.js";
import { icon } from "./icons.js";
import { actorMenu } from "./profile.js";
import { avatar, displayName } from "./render/names.js";
import { openActivity, openApp, openChannel, openList, openThreads } from "./route.js";
import { archived, bot, botChannel, channels, startingPlace, store, unread } from "./store.js";
import { focusSearch } from "./search.js";

const rail = document.getElementById("rail");
const side = document.getElementById("sidebar");
const tabs = document.getElementById("tabbar");

const initial = () => (store.state.team?.name || "W").slice(0, 1).toUpperCase();
const pingsTotal = () => (store.state.channels || []).reduce((sum, c) => sum + unread(c).pings, 0);

function railItem(name, label, on, act, badge) {
  return h("button.rail-item", { type: "button", class: on ? "on" : "", "aria-current": on ? "page" : null, data: { focusId: `rail-${label}` }, onclick: act },
    h("span.rail-icon", null, icon(name, 20), badge ? h("span.badge", null, String(badge)) : null), h("span.rail-label", null, label));
}

const here = (kind) => store.route.kind === kind;
function goHome() {
  if (matchMedia("(max-width: 767px)").matches) openList();
  else openChannel(startingPlace());
}

function sections(place) {
  return [
    railItem("home", "Home", here("channel") || here("list") || here("threads"), goHome),
    railItem("dms", "DMs", here("app") && store.route.tab === "messages", () => openApp("messages"), unreadDm()),
    railItem("bell", "Activity", here("activity"), openActivity, pingsTotal()),
    place === "tabbar" && railItem("search", "Search", false, focusSearch),
  ];
}
const unreadDm = () => (botChannel() ? unread(botChannel()).pings : 0);

function drawRail() {
  redraw(rail, ["rail", store.me, store.route.kind, store.route.tab, pingsTotal(), unreadDm(), initial()], () => [
    h("span.workspace", { title: store.state.team?.name }, initial()), sections("rail"), h("span.spring"),
    h("button.rail-me", { type: "button", title: "Act as someone else", "aria-label": `Acting as ${displayName(store.me)}. Choose whom to act as`, "aria-haspopup": "menu", "aria-expanded": "false", data: { testid: "act-as", focusId: "me" }, onclick: (e) => actorMenu(e.currentTarget, "right") },
      avatar(store.me, 36), h("span.presence"), h("span.rail-label", null, displayName(store.me))),
  ]);
}

function row(className, on, bold, testid, act, ...children) {
  return h("button.side-item", { type: "button", class: `${className}${on ? " on" : ""}${bold ? " unread" : ""}`, "aria-current": on ? "page" : null, data: { testid, focusId: testid }, onclick: act }, ...children);
}

function channelRow(channel) {
  const { bold, pings } = unread(channel);
  const on = store.route.kind === "channel" && store.route.channel === channel.id;
  const show = { bold: bold && !on, pings: on ? 0 : pings };
  return row(channel.is_archived ? "is-archived" : "", on, show.bold, `channel-${channel.name}`, () => openChannel(channel.id),
    icon(channel.is_private ? "lock" : "hash", 17), h("span.side-name", null, channel.name),
    show.bold && h("span.visually-hidden", null, ", unread"),
    show.pings ? h("span.badge", { "aria-label": `${show.pings} mentions` }, String(show.pings)) : null);
}

function appRow() {
  const app = bot();
  if (!app) return null;
  const dm = botChannel();
  const { bold, pings } = dm ? unread(dm) : { bold: false, pings: 0 };
  const on = here("app");
  return row("", on, bold && !on, `app-${app.name}`, () => openApp(on ? store.route.tab : pings ? "messages" : "home"),
    avatar(app.id, 20), h("span.side-name", null, displayName(app.id)), h("span.presence-dot", { class: store.connected ? "on" : "", title: store.connected ? "Connected" : "Not connected" }, h("span.visually-hidden", null, store.connected ? "connected" : "not connected")),
    pings && !on ? h("span.badge", null, String(pings)) : null);
}

function section(title, ...rows) {
  return h("section.side-section", { "aria-label": title }, h("div.side-head", null, icon("chevron", 14), h("span", null, title)), ...rows);
}

function sideSignature() {
  const marks = (store.state.channels || []).map((c) => [c.id, c.name, c.is_archived, c.is_private, unread(c)]);
  return [store.me, store.route.kind, store.route.channel, store.route.tab, marks, store.connected > 0, store.state.users, store.state.team?.name];
}

function drawSide() {
  redraw(side, sideSignature(), () => [
    h("header.side-top", null, h("span.workspace.phone-only", null, initial()), h("span.side-team", null, store.state.team?.name || "Workspace", icon("chevron", 16)),
      h("button.side-me", { type: "button", "aria-label": `Acting as ${displayName(store.me)}. Choose whom to act as`, "aria-expanded": "false", data: { testid: "act-as-phone", focusId: "me-phone" }, onclick: (e) => actorMenu(e.currentTarget, "below") }, avatar(store.me, 32), h("span.presence"))),
    h("button.jump", { type: "button", onclick: focusSearch }, icon("search", 18), "Jump to or search…"),
    h("div.side-scroll", null,
      h("div.side-section", null, row("", here("threads"), false, "nav-threads", openThreads, icon("thread", 17), h("span.side-name", null, "Threads"))),
      section("Channels", channels().map(channelRow), archived().map(channelRow)),
      section("Direct messages", row("", false, false, "me-row", (e) => actorMenu(e.currentTarget, "below"), avatar(store.me, 20), h("span.side-name", null, displayName(store.me), h("span.you", null, "you")))),
      section("Apps", appRow())),
  ]);
}

function drawTabs() {
  redraw(tabs, ["tabs", store.me, store.route.kind, store.route.tab, pingsTotal(), unreadDm()], () => sections("tabbar"));
}

export function drawSidebar() {
  drawRail();
  drawSide();
  drawTabs();
}
