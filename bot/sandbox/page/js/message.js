// One message: face, name, time, body, files, thread summary, its errors and its hover toolbar.
import { h, keep } from "./dom.js";
import { icon } from "./icons.js";
import { shortcut, sourceKey } from "./acts.js";
import { menu } from "./layer.js";
import { openThread } from "./route.js";
import { channelOf, dismiss, isReply, messageOf, repliesOf, store, userOf } from "./store.js";
import { clock, clockBare, dayKey, full, lastReply, now, plural } from "./time.js";
import { blocks, keptBlocks } from "./render/blocks.js";
import { collapsible } from "./render/collapse.js";
import { files } from "./render/files.js";
import { avatar, displayName } from "./render/names.js";
import { mrkdwn, plainText } from "./render/mrkdwn.js";
import { showProfile } from "./profile.js";

const held = new Map();   // what the selects of a message hold, by message
function heldBy(key) {
  if (!held.has(key)) held.set(key, new Map());
  return held.get(key);
}

const author = (m) => m.username || displayName(m.user);

function name(m) {
  const isBot = m.bot_id || userOf(m.user)?.is_bot;
  const label = !userOf(m.user) ? h("span.name", null, author(m))
    : h("button.name", { type: "button", onclick: (e) => showProfile(m.user, e.currentTarget) }, author(m));
  return [label, isBot && h("span.app-badge", null, "APP")];
}

function attachment(one, ctx) {
  const bar = h("div.attachment-bar");
  if (/^#?[0-9a-f]{6}$/i.test(one.color || "")) bar.style.background = one.color.startsWith("#") ? one.color : `#${one.color}`;
  return h("div.attachment", null, bar, h("div.attachment-body", null,
    one.blocks ? blocks(one.blocks, ctx) : mrkdwn(one.text || one.fallback || "")));
}

/** One part of a row: drawn anew only when what it shows has changed. */
const part = (key, shows, draw) => ({ key, sign: JSON.stringify([shows, dayKey(now())]), draw });
/** A part that stays, and whose own parts are seen to each time. */
const frame = (key, spec, fill) => ({ key, draw: () => fill(h(spec)), update: fill });
const filled = (items) => (node) => { keep(node, items.filter(Boolean)); return node; };

function body(m, channelId, options) {
  const source = { channel: channelId, ts: m.ts, thread_ts: m.thread_ts, ephemeral: m.ephemeral };
  const key = sourceKey(source);
  const ctx = {
    source, raw: heldBy(key), prefix: `${options.place}-${m.ts}`,
    get blocks() { return messageOf(channelOf(channelId), m.ts)?.blocks || m.blocks; },   // as they are when one clicks
  };
  const said = store.errors.get(key);
  return [
    m.blocks?.length ? frame("blocks", "div.blocks", filled(keptBlocks(m.blocks, ctx)))
      : m.text && part("text", m.text, () => h("div.text", null, collapsible(mrkdwn(m.text)))),
    m.attachments?.length && part("attachments", m.attachments, () => h("div", null, m.attachments.map((one) => attachment(one, ctx)))),
    m.edited && part("edited", m.edited, () => h("span.edited", { title: full(m.edited.ts) }, "(edited)")),
    m.files?.length && part("files", m.files, () => files(m.files)),
    said && part("error", said, () => h("div.message-error", { role: "alert", data: { testid: "message-error" } }, icon("warning", 16), h("span", null, said))),
  ];
}

function summary(m, channel, options) {
  if (options.place === "thread" || isReply(m) || m.ephemeral) return null;
  const replies = repliesOf(channel, m.ts);
  if (!replies.length) return null;
  const faces = [...new Set(replies.map((r) => r.user))].slice(0, 5);
  const [count, last] = [plural(replies.length, "reply"), lastReply(replies[replies.length - 1].ts)];
  return part("summary", [faces, count, last], () => h("button.summary", { type: "button", data: { testid: "thread-summary", focusId: `summary-${m.ts}` }, onclick: () => openThread(channel.id, m.ts) },
    h("span.summary-faces", null, faces.map((id) => avatar(id, 24))), h("span.summary-count", null, count),
    h("span.summary-last", null, last), h("span.summary-view", null, "View thread", icon("chevronRight", 14))));
}

const messageShortcuts = () => (store.state.shortcuts || []).filter((s) => (s.type || "message") === "message");

function moreMenu(m, channel) {
  const ours = messageShortcuts().map((s) => ({
    label: s.name || s.callback_id, hint: "Patrol", testid: `shortcut-${s.callback_id}`,
    onpick: () => shortcut(channel.id, m.ts, s.callback_id),
  }));
  return [
    { label: "Reply in thread", icon: icon("reply", 18), onpick: () => openThread(channel.id, m.thread_ts || m.ts) },
    { label: "Copy link", icon: icon("linkIcon", 18), onpick: () => navigator.clipboard?.writeText(`${location.origin}/archives/${channel.id}/p${m.ts.replace(".", "")}`) },
    ...(ours.length ? ["-", ...ours] : []),
  ];
}

function toolbar(m, channel, options) {
  const more = (event) => menu(event.currentTarget, moreMenu(m, channel), { label: "More message shortcuts" });
  return h("div.toolbar", { role: "group", "aria-label": "Message actions" },
    options.place !== "thread" && h("button.tool", { type: "button", title: "Reply in thread", "aria-label": "Reply in thread", data: { testid: "reply-in-thread" }, onclick: () => openThread(channel.id, m.thread_ts || m.ts) }, icon("reply", 18)),
    h("button.tool", { type: "button", title: "More message shortcuts", "aria-label": "More message shortcuts", "aria-haspopup": "menu", "aria-expanded": "false", data: { testid: "more-shortcuts", focusId: `more-${m.ts}` }, onclick: more }, icon("dots", 18)));
}

/** On the phone a tap opens the thread and a long press the actions. */
function touch(row, m, channel, options) {
  if (m.ephemeral) return;
  const narrow = () => matchMedia("(max-width: 767px)").matches;
  const onControl = (event) => event.target.closest("button, a, input, select, textarea, label, .table-scroll");
  let timer = null, long = false, at = null;
  const stop = () => clearTimeout(timer);
  row.addEventListener("pointerdown", (event) => {
    if (!narrow() || onControl(event)) return;
    long = false;
    at = [event.clientX, event.clientY];
    timer = setTimeout(() => { long = true; menu(row, moreMenu(m, channel), { label: "Message actions" }); }, 480);
  });
  row.addEventListener("pointermove", (event) => at && Math.hypot(event.clientX - at[0], event.clientY - at[1]) > 8 && stop());
  ["pointerup", "pointercancel"].forEach((kind) => row.addEventListener(kind, stop));
  row.addEventListener("click", (event) => {
    if (narrow() && !long && !onControl(event) && options.place !== "thread" && !String(getSelection())) openThread(channel.id, m.thread_ts || m.ts);
  });
}

function above(m, channel, options) {
  if (m.ephemeral) return part("above", "only you", () => h("div.only-you", null, icon("eye", 14), "Only visible to you"));
  if (m.subtype !== "thread_broadcast" || options.place === "thread") return null;
  const root = messageOf(channel, m.thread_ts);
  const to = root?.blocks?.find((b) => b.type === "header")?.text.text || root?.text || "";
  return part("above", to, () => h("div.replied-to", null, h("span", null, `replied to a thread${to ? ":" : ""}`),
    to && h("button.replied-what", { type: "button", onclick: () => openThread(channel.id, m.thread_ts) }, ...plainText({ text: to }))));
}

function main(m, channel, options) {
  const voice = [m.user, author(m)];
  return filled([
    !options.compact && part("head", voice, () => h("div.message-head", null, name(m), h("time.time", { title: full(m.ts) }, clock(m.ts)))),
    frame("body", "div.message-body", filled(body(m, channel.id, options))),
    m.ephemeral && part("foot", m.ts, () => h("div.ephemeral-foot", null, h("button.text-button", { type: "button", data: { testid: "dismiss" }, onclick: () => dismiss({ ...m, channel: channel.id }) }, "Dismiss message"))),
    summary(m, channel, options),
  ]);
}

/** Makes a row show its message as it is now. The row itself stays, and of its parts those that have not changed. */
export function fillRow(row, m, channel, options) {
  row.classList.toggle("compact", Boolean(options.compact));
  row.classList.toggle("tombstone", m.subtype === "tombstone");
  row.setAttribute("aria-label", `${author(m)}, ${clock(m.ts)}`);
  const gutter = () => h("div.gutter", null, options.compact ? h("span.gutter-time", { title: full(m.ts) }, clockBare(m.ts)) : avatar(m.user, 36));
  return filled([
    above(m, channel, options), part("gutter", [options.compact, m.user], gutter), frame("main", "div.message-main", main(m, channel, options)),
    !m.ephemeral && { key: "toolbar", sign: "same", draw: () => toolbar(m, channel, options) },
  ])(row);
}

/** options: {place: "channel"|"thread"|"app", compact, fresh} */
export function messageRow(m, channel, options) {
  const row = h("div.message", {
    class: m.ephemeral ? "ephemeral" : "", role: "listitem", data: { testid: m.ephemeral ? "ephemeral" : "message", ts: m.ts },
  });
  touch(row, m, channel, options);
  return fillRow(row, m, channel, options);
}
