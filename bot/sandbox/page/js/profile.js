// Who acts: the menu to become ana, bo or cy, and the small card of a person.
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { closePopover, menu, popover } from "./layer.js";
import { avatar, displayName } from "./render/names.js";
import { openApp } from "./route.js";
import { people, rememberActor, store, userOf } from "./store.js";

let switchTo = () => {};
export const onSwitch = (fn) => { switchTo = fn; };

export function actAs(user) {
  rememberActor(user.name);
  switchTo(user);
}

export function actorMenu(anchor, side) {
  const rows = people().map((user) => ({
    label: user.real_name && user.real_name.toLowerCase() !== user.name ? `${user.name} (${user.real_name})` : user.name,
    icon: avatar(user.id, 28), testid: `act-as-${user.name}`,
    hint: user.id === store.me ? icon("check", 18) : null, onpick: () => actAs(user),
  }));
  menu(anchor, rows, { side, label: "Act as", title: "Act in this workspace as" });
}

export function showProfile(id, anchor) {
  const user = userOf(id);
  if (!user) return;
  const mine = id === store.me;
  const act = user.is_bot
    ? h("button.btn", { type: "button", onclick: () => { closePopover(); openApp("home"); } }, "Open app")
    : h("button.btn", { type: "button", disabled: mine, onclick: () => { closePopover(); actAs(user); } }, mine ? "This is you" : `Act as ${user.name}`);
  popover(anchor, h("div.profile", null, avatar(id, 72),
    h("div.profile-name", null, displayName(id), user.is_bot && h("span.app-badge", null, "APP")),
    h("div.profile-note", null, user.is_bot ? (store.connected ? "App · connected" : "App · not connected") : user.real_name || user.name), act),
  { label: displayName(id), className: "popover-profile" });
}
