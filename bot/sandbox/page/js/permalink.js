// Slack's links to messages, of any workspace's address: those that lead to a channel that is here open in the page.
import { channelOf } from "./store.js";
import { openMessage } from "./route.js";

const PATH = /^\/archives\/([A-Z0-9]+)(?:\/p(\d{10})(\d{6}))?\/?$/;

/** {channel, ts, thread} of a link into this workspace, or null. */
export function placeOf(url) {
  let parsed;
  try { parsed = new URL(String(url), location.origin); } catch { return null; }
  const [whole, channel, seconds, rest] = PATH.exec(parsed.pathname) || [];
  const ours = parsed.origin === location.origin || parsed.hostname.endsWith(".slack.com");
  if (!whole || !ours || !channelOf(channel)) return null;
  const thread = parsed.searchParams.get("thread_ts");
  return { channel, ts: seconds ? `${seconds}.${rest}` : null, thread: /^\d{10}\.\d{6}$/.test(thread || "") ? thread : null };
}

/** What an <a> needs to open such a link: here at a click, and in a window of its own as any link does. */
export function linkHere(url) {
  const place = placeOf(url);
  if (!place) return null;
  const query = new URLSearchParams({ ...(place.thread ? { thread_ts: place.thread, cid: place.channel } : {}) });
  new URLSearchParams(location.search).forEach((value, name) => name === "as" && query.set("as", value));
  const mark = place.ts ? `/p${place.ts.replace(".", "")}` : "";
  const onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openMessage(place.channel, place.ts, place.thread);
  };
  return { href: `${location.origin}/archives/${place.channel}${mark}?${query}`, onclick };
}
