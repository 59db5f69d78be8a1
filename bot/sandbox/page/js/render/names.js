// Who and what is called how: mention and channel chips, avatars.
import { h } from "../dom.js";
import { icon, shield } from "../icons.js";
import { SLACKBOT, store, userOf, channelOf } from "../store.js";
import { openChannel } from "../route.js";

let openPerson = () => {};
export const onPerson = (fn) => { openPerson = fn; };

export function displayName(id) {
  const user = userOf(id);
  if (id === SLACKBOT) return "Slackbot";
  return user ? user.is_bot ? user.real_name || user.name : user.name : id || "someone";
}

export function userNode(id, label) {
  const user = userOf(id);
  if (!user) return h("span.mention", null, "@" + (label || id));
  const mine = id === store.me ? " mention-me" : "";
  return h("button.mention", {
    type: "button", class: mine, onclick: (event) => openPerson(id, event.currentTarget),
  }, "@" + (user.is_bot ? displayName(id) : user.name));
}

export function channelNode(id, label) {
  const channel = channelOf(id);
  const name = channel ? channel.name : label;
  if (!name) return h("span.mention", null, "#private-channel");
  if (!channel) return h("span.mention", null, "#" + name);
  return h("button.mention", { type: "button", onclick: () => openChannel(id) }, "#" + name);
}

const COLOURS = ["#2d6cdf", "#c2547d", "#2f8f6b", "#b7791f", "#7a55c7", "#b4492d"];

function colourOf(user) {
  const given = user && /^#?[0-9a-f]{6}$/i.test(user.color || "") ? user.color : null;
  if (given) return given.startsWith("#") ? given : "#" + given;
  const sum = [...(user ? user.id : "?")].reduce((n, c) => n + c.charCodeAt(0), 0);
  return COLOURS[sum % COLOURS.length];
}

/** A square face: initials on the person's colour, or the app's shield. */
export function avatar(id, size = 36) {
  const user = userOf(id);
  const style = { width: `${size}px`, height: `${size}px`, "font-size": `${Math.round(size * 0.44)}px` };
  if (user && user.is_bot) return h("span.avatar.avatar-app", { style, "aria-hidden": "true" }, shield(Math.round(size * 0.66)));
  if (id === SLACKBOT) return h("span.avatar.avatar-slackbot", { style, "aria-hidden": "true" }, icon("smile", Math.round(size * 0.66)));
  const face = h("span.avatar", { style, "aria-hidden": "true" }, displayName(id).slice(0, 1).toUpperCase());
  face.style.setProperty("--face", colourOf(user));
  return face;
}
