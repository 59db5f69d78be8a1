// Where the person is: the address's hash says channel, thread or page, so Back works on the phone too.
import { store, changed, channelOf, botChannelId, rememberPlace, startingPlace } from "./store.js";

/** #C0PAYMENTS · #C0PAYMENTS/1790.1 (a thread) · #C0PAYMENTS//1790.2 and #C0PAYMENTS/1790.1/1790.2 (at a message) · #app/home · #app/messages · #activity · #threads · #list (the phone's first pane) */
export function parse(hash) {
  const [first, second, third] = decodeURIComponent(hash.replace(/^#/, "")).split("/");
  if (first === "app") return { kind: "app", tab: second === "messages" ? "messages" : "home", channel: null, thread: null };
  if (first === "activity" || first === "threads") return { kind: first, channel: null, thread: null };
  if (first === "list" || !first) return { kind: "list", channel: null, thread: null };
  return { kind: "channel", channel: first, thread: second || null, at: third || null };
}

const narrow = () => matchMedia("(max-width: 767px)").matches;

export function follow() {
  const route = parse(location.hash);
  if (route.kind === "list" && !narrow()) Object.assign(route, { kind: "channel", channel: startingPlace() });
  if (route.kind === "channel" && store.state && !channelOf(route.channel) && route.channel !== botChannelId()) {
    route.channel = startingPlace();
    route.thread = null;
  }
  if (route.kind === "channel" && route.channel === botChannelId() && !route.thread) Object.assign(route, { kind: "app", tab: "messages" });
  if (route.kind === "app" && route.tab === "messages") route.channel = botChannelId();
  if (route.kind === "channel" && channelOf(route.channel)) rememberPlace(route.channel);
  store.route = route;
  changed();
}

function go(hash) {
  if (location.hash === hash) follow();
  else location.hash = hash;
}

export const openChannel = (id) => go(id === botChannelId() ? "#app/messages" : `#${id}`);
export const openThread = (channel, ts) => go(`#${channel}/${ts}`);
/** Goes to a message; where it is a reply, its thread is opened. */
export const openMessage = (channel, ts, thread = null) => go(`#${channel}/${thread || ""}/${ts || ""}`.replace(/\/+$/, ""));
export const closeThread = () => (store.route.channel === botChannelId() ? go("#app/messages") : go(`#${store.route.channel}`));
export const openApp = (tab) => go(`#app/${tab}`);
export const openActivity = () => go("#activity");
export const openThreads = () => go("#threads");
export const openList = () => go("#list");
addEventListener("hashchange", follow);
