// What the page knows: the workspace's last state, who acts, what was read. No drawing here.

export const SLACKBOT = "USLACKBOT";
const listeners = new Set();
export const store = {
  state: null, me: null, online: true, connected: 0,
  route: { kind: "none", channel: null, thread: null, tab: "messages" },
  pending: new Set(),      // actions on their way: "channel/ts/block/action"
  errors: new Map(),       // "channel/ts" → what the person is told by the message
  limit: 120,              // how many of each channel's messages are asked for; grows when one scrolls up
  held: 0,                 // how many were asked for when the state was read that is here
  locals: [],              // ephemerals of the page's own (refused commands and the like)
};

export const subscribe = (fn) => listeners.add(fn);
let queued = false;
export function changed() {
  if (queued) return;
  queued = true;
  queueMicrotask(() => { queued = false; listeners.forEach((fn) => fn()); });
}

const read = (area, key, fallback) => {
  try { return JSON.parse(area.getItem(key)) ?? fallback; } catch { return fallback; }
};
const write = (area, key, value) => {
  try { area.setItem(key, JSON.stringify(value)); } catch { /* a full or forbidden storage costs only the memory */ }
};

// ---- people and places
export const people = () => (store.state?.users || []).filter((u) => !u.is_bot);
export const userOf = (id) => (store.state?.users || []).find((u) => u.id === id) || null;
export const userByName = (name) => (store.state?.users || []).find((u) => u.name === name) || null;
export const bot = () => (store.state?.users || []).find((u) => u.is_bot) || null;
export const channelOf = (id) => (store.state?.channels || []).find((c) => c.id === id) || null;
export const channels = () => (store.state?.channels || []).filter((c) => !c.is_im && !c.is_archived)
  .sort((a, b) => a.name.localeCompare(b.name));
export const archived = () => (store.state?.channels || []).filter((c) => !c.is_im && c.is_archived);
export const botChannel = () => (store.state?.channels || [])
  .find((c) => c.is_im && (c.user === store.me || (c.members || []).includes(store.me))) || null;
/** The person's line to the bot, also before the first message has opened it. */
export const botChannelId = () => botChannel()?.id || "D0" + String(userOf(store.me)?.name || "").toUpperCase();

// ---- messages
export const isReply = (m) => Boolean(m.thread_ts && m.thread_ts !== m.ts);
const byTs = (a, b) => Number(a.ts) - Number(b.ts);
export const roots = (channel) => channel.messages
  .filter((m) => !isReply(m) || m.subtype === "thread_broadcast").concat(ephemerals(channel.id, null)).sort(byTs);
const threads = new WeakMap();   // channel as read → its replies by thread
function threadsOf(channel) {
  if (!threads.has(channel)) threads.set(channel, grouped(channel));
  return threads.get(channel);
}
function grouped(channel) {
  const out = new Map();
  channel.messages.filter(isReply).forEach((m) => (out.get(m.thread_ts) || out.set(m.thread_ts, []).get(m.thread_ts)).push(m));
  return out;
}
/** What people and apps said in a thread; with what only this person sees, if `whispers`. */
export const repliesOf = (channel, ts, whispers = false) => {
  const said = threadsOf(channel).get(ts) || [];
  return whispers ? said.concat(ephemerals(channel.id, ts)).sort(byTs) : said;
};
export const mayHaveMore = (channel) => channel.messages.length >= store.held;
export const messageOf = (channel, ts) => channel?.messages.find((m) => m.ts === ts) || null;

function ephemerals(channelId, thread) {
  const gone = read(sessionStorage, "sandbox.dismissed", []);
  return [...(store.state?.ephemerals || []), ...store.locals]
    .filter((e) => e.user === store.me && e.channel === channelId && (e.thread_ts || null) === thread)
    .filter((e) => !gone.includes(`${e.channel}/${e.ts}`))
    .map((e) => ({ ...e, ephemeral: true, user: e.sender || bot()?.id }));
}

export function dismiss(message) {
  const gone = read(sessionStorage, "sandbox.dismissed", []);
  write(sessionStorage, "sandbox.dismissed", [...gone, `${message.channel}/${message.ts}`].slice(-300));
  changed();
}

export function addLocal(channel, threadTs, text) {
  const ts = String(lastTs() + 0.0001 + store.locals.length / 1e5);
  store.locals.push({ user: store.me, channel, thread_ts: threadTs, ts, text, sender: SLACKBOT });
  changed();
}
const lastTs = () => Math.max(store.state?.now || 0, ...(store.state?.channels || [])
  .flatMap((c) => c.messages.slice(-1)).map((m) => Number(m.ts)));

// ---- what was read
const readKey = (channelId) => `sandbox.read.${store.me}.${channelId}`;
function baseline() {
  const known = read(localStorage, "sandbox.since", null);
  const current = store.state?.now || 0;
  if (known !== null && known <= current) return known;
  write(localStorage, "sandbox.since", current);
  return current;
}
export const readMark = (channelId) => Math.max(read(localStorage, readKey(channelId), 0), baseline());
/** Up to where this person has read a channel in this browser; on a first visit nothing, so that every ping counts. */
const ownMark = (channelId) => read(localStorage, readKey(channelId), 0);
export function markRead(channelId) {
  const channel = channelOf(channelId);
  const newest = Math.max(0, ...(channel?.messages || []).map((m) => Number(m.ts)));
  if (newest > ownMark(channelId)) write(localStorage, readKey(channelId), newest);
}
export function unread(channel) {
  const mark = readMark(channel.id);
  const fresh = (m) => Number(m.ts) > mark && m.user !== store.me;
  const bold = channel.messages.some((m) => fresh(m) && (!isReply(m) || m.subtype === "thread_broadcast"));
  const pings = (store.state.notifications || [])
    .filter((n) => n.user === store.me && n.channel === channel.id && Number(n.ts) > ownMark(channel.id)).length;
  return { bold: bold || pings > 0, pings };
}

// ---- where one was last
const placeKey = () => `sandbox.place.${store.me}`;
export const rememberPlace = (channelId) => write(localStorage, placeKey(), channelId);
/** Where to begin: the last place, else where something was said last, else the first channel. */
export function startingPlace() {
  const last = channelOf(read(localStorage, placeKey(), ""));
  if (last) return last.id;
  const newest = (c) => Number(c.messages[c.messages.length - 1]?.ts || 0);
  const mine = channels().filter((c) => (c.members || []).includes(store.me));
  return ([...mine].sort((a, b) => newest(b) - newest(a))[0] || channels()[0])?.id || null;
}

// ---- who acts
export function chooseActor() {
  const wanted = new URLSearchParams(location.search).get("as");
  const name = wanted || read(localStorage, "sandbox.as", "ana");
  return /^[\w.-]{1,40}$/.test(name) ? name : "ana";
}
export function rememberActor(name) {
  write(localStorage, "sandbox.as", name);
  const url = new URL(location.href);
  url.searchParams.set("as", name);
  history.replaceState(history.state, "", url);
}
