// The bar at the top: finds channels and messages in what the page already holds.
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { displayName } from "./render/names.js";
import { openChannel, openMessage } from "./route.js";
import { channels, isReply, store } from "./store.js";
import { dayAndTime } from "./time.js";
import { mrkdwn } from "./render/mrkdwn.js";

const bar = document.getElementById("search");
const panel = document.getElementById("search-panel");
const field = h("input.search-field", { type: "text", role: "searchbox", placeholder: "Search messages and channels", "aria-label": "Search messages and channels", oninput: () => results() });
const found = h("div.search-found", { role: "listbox", "aria-label": "Results" });

export function focusSearch() {
  panel.hidden = false;
  field.value = "";
  results();
  field.focus();
}
function shut() { panel.hidden = true; }

const pick = (act) => () => { shut(); act(); };

function open(channel, m) {
  openMessage(channel.id, m.ts, isReply(m) ? m.thread_ts : null);
}

/** The words a message shows: of its blocks if it has any, else of its text. */
function words(m) {
  if (!m.blocks?.length) return mrkdwn(m.text).textContent;
  const out = [];
  const walk = (value) => {
    if (Array.isArray(value)) value.forEach(walk);
    else if (typeof value?.text === "string") out.push(value.type === "mrkdwn" ? mrkdwn(value.text).textContent : value.text);
    else if (value && typeof value === "object") Object.values(value).forEach(walk);
  };
  walk(m.blocks);
  return out.join(" ");
}

function hits(query) {
  const all = [];
  (store.state?.channels || []).forEach((channel) => channel.messages.forEach((m) => {
    const text = words(m);
    const at = text.toLowerCase().indexOf(query);
    if (at >= 0) all.push({ channel, m, text: text.slice(Math.max(0, at - 40), at + 120) });
  }));
  return all.sort((a, b) => Number(b.m.ts) - Number(a.m.ts)).slice(0, 12);
}

function results() {
  const query = field.value.trim().toLowerCase();
  const places = channels().filter((c) => c.name.includes(query.replace(/^#/, ""))).slice(0, 5)
    .map((c) => h("button.search-row", { type: "button", role: "option", onclick: pick(() => openChannel(c.id)) }, icon("hash", 16), h("span", null, c.name)));
  const messages = query.length < 2 ? [] : hits(query).map(({ channel, m, text }) =>
    h("button.search-row.search-message", { type: "button", role: "option", onclick: pick(() => open(channel, m)) },
      h("span.search-where", null, `${displayName(m.user)} in ${channel.is_im ? "direct message" : "#" + channel.name} · ${dayAndTime(m.ts)}`), h("span.search-text", null, text)));
  const none = query.length > 1 && !places.length && !messages.length;
  replace(found, places, messages, none && h("div.search-none", null, "Nothing found."));
}

export function drawTop() {
  const tool = (name, label, act) => h("button.top-tool", { type: "button", title: label, "aria-label": label, onclick: act }, icon(name, 18));
  replace(bar, tool("back", "Back", () => history.back()), tool("forward", "Forward", () => history.forward()), h("button.search-button", { type: "button", onclick: focusSearch, "aria-label": `Search ${store.state?.team?.name || ""}` },
    icon("search", 16), h("span", null, `Search ${store.state?.team?.name || "workspace"}`)));
  replace(panel, h("div.search-box", { role: "dialog", "aria-label": "Search" },
    h("div.search-line", null, icon("search", 18), field, h("button.icon-button", { type: "button", "aria-label": "Close search", onclick: shut }, icon("close", 18))), found));
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); shut(); } });
  panel.addEventListener("pointerdown", (event) => { if (event.target === panel) shut(); });
}
