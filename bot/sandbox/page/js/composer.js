// The box one writes in: text, slash commands, mentions, marks; Enter sends, Shift+Enter breaks the line.
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { command, say } from "./acts.js";
import { addLocal } from "./store.js";
import { Suggestions } from "./suggest.js";

const drafts = new Map();
const MARKS = [["bold", "Bold", "*", "*"], ["italic", "Italic", "_", "_"], ["strike", "Strikethrough", "~", "~"], null,
  ["listNumber", "Ordered list", "1. ", ""], ["listBullet", "Bulleted list", "• ", ""], null,
  ["quote", "Blockquote", "> ", ""], ["code", "Code", "`", "`"], ["codeBlock", "Code block", "```\n", "\n```"]];

export class Composer {
  /** testid: "composer" or "thread-composer". */
  constructor(testid) {
    this.target = null;
    this.field = h("textarea.composer-field", {
      rows: 1, data: { testid }, role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `${testid}-suggest`,
      autocomplete: "off", spellcheck: "true", oninput: () => this.typed(), onkeydown: (event) => this.key(event), onblur: () => this.suggest.close(), onclick: () => this.suggest.update(),
    });
    this.box = h("div.suggest", { id: `${testid}-suggest`, role: "listbox", "aria-label": "Suggestions", hidden: true, data: { testid: `${testid}-suggest` } });
    this.suggest = new Suggestions(this.field, this.box, () => this.typed());
    this.sendButton = h("button.send", { type: "button", "aria-label": "Send now", title: "Send now", disabled: true, data: { testid: `${testid}-send` }, onclick: () => this.send() }, icon("send", 18));
    this.node = h("div.composer-wrap", null, this.box, h("div.composer", null, this.marks(), this.field, this.foot()));
  }

  marks() {
    return h("div.marks", { role: "toolbar", "aria-label": "Formatting" }, MARKS.map((mark) => (mark === null ? h("span.marks-line")
      : h("button.mark", { type: "button", title: mark[1], "aria-label": mark[1], onclick: () => this.wrap(mark[2], mark[3]) }, icon(mark[0], 17)))));
  }

  foot() {
    const tool = (name, label, act) => h("button.mark", { type: "button", title: label, "aria-label": label, onclick: act }, icon(name, 18));
    return h("div.composer-foot", null,
      tool("aa", "Hide formatting", () => this.node.classList.toggle("no-marks")),
      tool("at", "Mention someone", () => this.insert("@")),
      tool("slash", "Run a command", () => { if (!this.field.value) this.insert("/"); }),
      h("span.spring"), this.sendButton);
  }

  /** target: {channel, thread, placeholder, disabled} */
  point(target) {
    const key = `${target.channel}/${target.thread || ""}`;
    if (this.keyNow !== key) {
      if (this.keyNow) drafts.set(this.keyNow, this.field.value);
      this.keyNow = key;
      this.field.value = drafts.get(key) || "";
      this.typed();
      this.suggest.close();
    }
    this.target = target;
    this.field.placeholder = target.placeholder;
    this.field.setAttribute("aria-label", target.placeholder);
    this.field.disabled = Boolean(target.disabled);
  }

  typed() {
    this.sendButton.disabled = !this.field.value.trim();
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(this.field.scrollHeight, 220)}px`;
    this.suggest.update();
  }

  insert(text) {
    const { selectionStart: at, value } = this.field;
    const gap = text === "@" && at && !/\s/.test(value[at - 1]) ? " " : "";
    this.field.setRangeText(gap + text, at, this.field.selectionEnd, "end");
    this.field.focus();
    this.typed();
  }

  wrap(before, after) {
    const { selectionStart: from, selectionEnd: to, value } = this.field;
    this.field.setRangeText(before + value.slice(from, to) + after, from, to, "end");
    if (from === to) this.field.setSelectionRange(from + before.length, from + before.length);
    this.field.focus();
    this.typed();
  }

  key(event) {
    if (event.isComposing || this.suggest.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.send();
    }
  }

  async send() {
    const text = this.field.value.trim();
    if (!text || !this.target) return;
    const { channel, thread } = this.target;
    this.field.value = "";
    this.typed();
    this.suggest.close();
    if (text.startsWith("/")) { await command(channel, text, thread); return; }
    const answer = await say(channel, text, thread);
    if (!answer.error) return;
    if (!this.field.value) { this.field.value = text; this.typed(); }
    addLocal(channel, thread || null, `Your message was not sent: ${answer.error}`);
  }
}
