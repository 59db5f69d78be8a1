// What a person does, sent to the workspace: clicks, messages, commands, submissions; and what comes back.
import { post, Refused } from "./api.js";
import { confirmDialog } from "./layer.js";
import { addLocal, changed, store, userByName } from "./store.js";

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

const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** Typed text as Slack stores it: signs escaped, names of people made mentions. */
export function asSent(text) {
  return escape(text).replace(/(^|[\s([])@([\w.-]+)/g, (whole, before, name) => {
    if (/^(here|channel|everyone)$/.test(name)) return `${before}<!${name}>`;
    const user = userByName(name.toLowerCase()) || userByName(name.toLowerCase().replace(/[.-]+$/, ""));
    return user ? `${before}<@${user.id}>${name.slice(user.name.length)}` : whole;
  });
}

export const say = (channel, text, thread) => send("message", { channel, text: asSent(text), ...(thread ? { thread_ts: thread } : {}) });

export async function command(channel, text, thread) {
  const answer = await send("command", { channel, text, ...(thread ? { thread_ts: thread } : {}) });
  if (answer.error) addLocal(channel, thread || null, answer.error);
  return answer;
}

export const submit = (viewId, values) => send("submit", { view_id: viewId, values });
export const close = (viewId) => send("close", { view_id: viewId });
export const openHome = () => send("open_home", {});
export async function shortcut(channel, ts, callbackId) {
  const answer = await send("shortcut", { channel, ts, callback_id: callbackId });
  if (answer.error) { store.errors.set(`${channel}/${ts}`, answer.error); changed(); }
}
