// What a person does, sent to the workspace: clicks, messages, commands, submissions; and what comes back.
import { post, Refused } from "./api.js";
import { confirmDialog } from "./layer.js";
import { addLocal, bot, changed, channelOf, dismiss, store, userByName } from "./store.js";

let refresh = async () => {};
export const onActed = (fn) => { refresh = fn; };

async function send(name, body) {
  try {
    const answer = await post(name, { user: store.me, ...body });
    await refresh();
    return answer;
  } catch (problem) {
    return { ok: false, error: problem instanceof Refused ? problem.message : "Something went wrong. Try again." };
  }
}

/** source: {channel, ts, thread_ts?, ephemeral?} of a message, or {view_id}. */
export const sourceKey = (source) => source.view_id || `${source.channel}/${source.ts}`;
export const actionKey = (source, block, element) => `${sourceKey(source)}/${block}/${element.action_id}`;

export async function click(source, block, element, { value, selected, state } = {}) {
  if (element.confirm && !(await confirmDialog(element.confirm))) return null;
  const key = actionKey(source, block, element);
  if (store.pending.has(key)) return null;
  store.pending.add(key);
  store.errors.delete(sourceKey(source));
  changed();
  const place = source.view_id ? { view_id: source.view_id }
    : { channel: source.channel, ts: source.ts, ...(source.ephemeral ? { ephemeral_ts: source.ts } : {}) };
  const answer = await send("click", { ...place, action_id: element.action_id, block_id: block, value, selected, ...(state ? { values: state } : {}) });
  store.pending.delete(key);
  if (answer.error) store.errors.set(sourceKey(source), answer.error);
  changed();
  return answer;
}

/** Typed names of people become mentions; the workspace itself escapes the rest. */
export function asSent(text) {
  return text.replace(/(^|[\s([])@([\w.-]+)/g, (whole, before, name) => {
    if (/^(here|channel|everyone)$/.test(name)) return `${before}<!${name}>`;
    const user = userByName(name.toLowerCase()) || userByName(name.toLowerCase().replace(/[.-]+$/, ""));
    return user ? `${before}<@${user.id}>${name.slice(user.name.length)}` : whole;
  });
}

/** The line to the app is opened by writing to it by name. */
const placeOf = (channel) => (channelOf(channel) ? channel : bot()?.name || channel);

export const say = (channel, text, thread) => send("message", { channel: placeOf(channel), text: asSent(text), ...(thread ? { thread_ts: thread } : {}) });

export async function command(channel, text, thread) {
  const answer = await send("command", { channel: placeOf(channel), text, ...(thread ? { thread_ts: thread } : {}) });
  const told = (answer.ephemerals || []).filter((e) => e.text === answer.error);
  if (thread) told.filter((e) => !e.thread_ts).forEach(dismiss);   // what was asked in a thread is answered there
  if (answer.error && (thread || !told.length)) addLocal(channel, thread || null, answer.error);
  return answer;
}

export const submit = (viewId, values) => send("submit", { view_id: viewId, values });
export const close = (viewId, all = false) => send("close", { view_id: viewId, ...(all ? { all: true } : {}) });
export const openHome = () => send("open_home", {});
export async function shortcut(channel, ts, callbackId) {
  const answer = await send("shortcut", { channel, ts, callback_id: callbackId });
  if (answer.error) { store.errors.set(`${channel}/${ts}`, answer.error); changed(); }
}
