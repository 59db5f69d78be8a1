// The popup over a composer while typing "/" or "@": commands and people, by arrow keys or a tap.
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { avatar, displayName } from "./render/names.js";
import { store } from "./store.js";

function commandsFor(text) {
  if (!/^\/\S*$/.test(text)) return [];
  return (store.state?.commands || []).filter((c) => c.command.startsWith(text.toLowerCase())).map((c) => ({
    key: c.command, insert: `${c.command} `, from: 0,
    node: [h("span.suggest-icon", null, icon("bolt", 18)), h("span.suggest-words", null,
      h("span.suggest-name", null, c.command, c.usage_hint && h("span.suggest-hint", null, " " + c.usage_hint)),
      h("span.suggest-note", null, c.description || ""))],
    side: "Patrol",
  }));
}

function peopleFor(text, caret) {
  const found = /(^|[\s(])@([\w.-]*)$/.exec(text.slice(0, caret));
  if (!found) return [];
  const part = found[2].toLowerCase();
  return (store.state?.users || []).filter((u) => u.name.startsWith(part) || (u.real_name || "").toLowerCase().startsWith(part)).slice(0, 8).map((u) => ({
    key: u.id, insert: `@${u.name} `, from: caret - part.length - 1,
    node: [avatar(u.id, 20), h("span.suggest-name", null, displayName(u.id)), u.is_bot ? h("span.app-badge", null, "APP") : h("span.suggest-hint", null, u.real_name || "")],
  }));
}

export class Suggestions {
  constructor(field, box, onPick) {
    Object.assign(this, { field, box, onPick, items: [], at: 0 });
  }

  update() {
    const { value, selectionStart } = this.field;
    const items = [...commandsFor(value), ...peopleFor(value, selectionStart)];
    if (items.map((i) => i.key).join() !== this.items.map((i) => i.key).join()) this.at = 0;
    this.items = items;
    this.draw();
  }

  close() { this.items = []; this.draw(); }
  get open() { return this.items.length > 0; }

  draw() {
    this.box.hidden = !this.open;
    this.field.setAttribute("aria-expanded", String(this.open));
    replace(this.box, this.items.map((item, i) => h("div.suggest-item", {
      role: "option", id: `${this.box.id}-${i}`, "aria-selected": i === this.at ? "true" : "false", class: i === this.at ? "on" : "",
      onpointerdown: (event) => { event.preventDefault(); this.pick(i); },
    }, item.node, item.side && h("span.suggest-side", null, item.side))));
    if (this.open) this.field.setAttribute("aria-activedescendant", `${this.box.id}-${this.at}`);
    else this.field.removeAttribute("aria-activedescendant");
  }

  pick(i) {
    const item = this.items[i];
    const { value, selectionStart } = this.field;
    this.field.value = value.slice(0, item.from) + item.insert + value.slice(selectionStart);
    const caret = item.from + item.insert.length;
    this.field.setSelectionRange(caret, caret);
    this.close();
    this.onPick();
  }

  /** Whether the key was for the popup. */
  key(event) {
    if (!this.open) return false;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      this.at = (this.at + (event.key === "ArrowDown" ? 1 : -1) + this.items.length) % this.items.length;
      this.draw();
    } else if (event.key === "Tab" || event.key === "Enter") this.pick(this.at);
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    return true;
  }
}
