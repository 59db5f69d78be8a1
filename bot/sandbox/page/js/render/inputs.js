// The elements that hold a value, in modals and on messages: fields, selects, dates, choices.
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { popover } from "../layer.js";
import { channels, people } from "../store.js";
import { plainText, textObject } from "./mrkdwn.js";
import { localMinute } from "../time.js";
import { options } from "./values.js";

const placeholder = (element, otherwise = "") => element.placeholder?.text ?? otherwise;
const plain = (object) => object?.text ?? "";

function common(element, bind) {
  return {
    id: bind.inputId, data: { actionId: element.action_id, focusId: `${bind.blockId}/${element.action_id}` },
    "aria-label": bind.label || placeholder(element) || null, "aria-describedby": bind.describedBy,
    "aria-invalid": bind.invalid ? "true" : null, disabled: bind.busy,
  };
}

function textInput(element, bind) {
  const shared = {
    ...common(element, bind), placeholder: placeholder(element), maxlength: element.max_length, class: "field",
    oninput: (event) => { bind.set(event.target.value); grow(event.target); },
    onkeydown: (event) => { if (event.key === "Enter" && !element.multiline) { event.preventDefault(); bind.enter?.(event); } },
    autofocus: element.focus_on_load,
  };
  const kinds = { number_input: "text", email_text_input: "email", url_text_input: "url" };
  const node = element.multiline ? h("textarea.field-multi", { ...shared, rows: 4 })
    : h("input", { ...shared, type: kinds[element.type] || "text", inputmode: element.type === "number_input" ? "decimal" : null });
  node.value = bind.value;
  return node;
}

function grow(node) {
  if (node.tagName !== "TEXTAREA") return;
  node.style.height = "auto";
  node.style.height = `${Math.min(node.scrollHeight + 2, 320)}px`;
}

const optionNode = (option) => h("option", { value: option.value }, plain(option.text));

function nativeSelect(element, bind, children, fallback) {
  const node = h("select.select", { ...common(element, bind), onchange: (event) => { node.classList.toggle("is-empty", !event.target.value); bind.set(event.target.value, true); } },
    h("option", { value: "", disabled: !bind.optional }, placeholder(element, fallback)), children);
  node.value = bind.value || "";
  node.classList.toggle("is-empty", !bind.value);
  return h("span.select-wrap", { class: bind.busy ? "is-busy" : "" }, node, icon("chevron", 16));
}

function staticSelect(element, bind) {
  const grouped = (element.option_groups || []).map((group) => h("optgroup", { label: plain(group.label) }, (group.options || []).map(optionNode)));
  return nativeSelect(element, bind, [(element.options || []).map(optionNode), grouped], "Select an option");
}

const peopleOptions = () => people().map((u) => ({ value: u.id, text: { text: u.name } }));
const channelOptions = () => channels().map((c) => ({ value: c.id, text: { text: "#" + c.name } }));
const usersSelect = (element, bind) => nativeSelect(element, bind, peopleOptions().map(optionNode), "Select a person");
const channelSelect = (element, bind) => nativeSelect(element, bind, channelOptions().map(optionNode), "Select a channel");

function tick(kind, element, bind, option, chosen, onchange) {
  const name = `${bind.inputId}-${element.action_id}`;
  const box = h("input", { type: kind, name, value: option.value, onchange, data: { actionId: element.action_id, focusId: `${bind.blockId}/${element.action_id}/${option.value}` } });
  box.checked = chosen;
  return h("label.choice", null, box,
    h("span.choice-text", null, textObject(option.text), option.description && h("span.choice-note", null, textObject(option.description))));
}

function radios(element, bind) {
  return h("div.choices", { role: "radiogroup", "aria-label": bind.label || null },
    options(element).map((option) => tick("radio", element, bind, option, option.value === bind.value, () => bind.set(option.value, true))));
}

function checkboxes(element, bind) {
  const chosen = new Set(bind.value);
  const toggle = (value) => { if (!chosen.delete(value)) chosen.add(value); bind.set([...chosen], true); };
  return h("div.choices", { role: "group", "aria-label": bind.label || null },
    options(element).map((option) => tick("checkbox", element, bind, option, chosen.has(option.value), () => toggle(option.value))));
}

/** Several of a list: chosen ones as chips, the list as a popover of ticks. */
function multi(element, bind, list) {
  const chosen = new Set(bind.value);
  const field = h("button.field.multi", { ...common(element, bind), type: "button", "aria-haspopup": "listbox", "aria-expanded": "false" });
  const draw = () => field.replaceChildren(...(chosen.size
    ? list.filter((o) => chosen.has(o.value)).map((o) => h("span.chip", null, plain(o.text)))
    : [h("span.placeholder", null, placeholder(element, "Select options"))]), icon("chevron", 16));
  const pick = (value, box) => {
    if (!chosen.delete(value)) {
      if (element.max_selected_items && chosen.size >= element.max_selected_items) { box.checked = false; return; }
      chosen.add(value);
    }
    bind.set([...chosen], true);
    draw();
  };
  field.addEventListener("click", () => popover(field, h("div.choices.choices-menu", null, list.map((option) =>
    tick("checkbox", element, bind, option, chosen.has(option.value), (event) => pick(option.value, event.target)))), { label: bind.label || "Options" }));
  draw();
  return field;
}

function moment(kind) {
  return (element, bind) => {
    const node = h("input.field.field-date", { ...common(element, bind), type: kind, onchange: (event) => bind.set(event.target.value, true) });
    node.value = bind.value;
    return node;
  };
}

/** Held as seconds since the epoch, shown by the reader's own clock. */
function dateAndTime(element, bind) {
  const held = (text) => (text ? Math.floor(new Date(text).getTime() / 1000) : "");
  const node = h("input.field.field-date", { ...common(element, bind), type: "datetime-local", onchange: (event) => bind.set(held(event.target.value), true) });
  node.value = bind.value ? localMinute(bind.value) : "";
  return node;
}

const KINDS = {
  plain_text_input: textInput, number_input: textInput, email_text_input: textInput, url_text_input: textInput,
  static_select: staticSelect, users_select: usersSelect, channels_select: channelSelect, conversations_select: channelSelect,
  radio_buttons: radios, checkboxes, datepicker: moment("date"), timepicker: moment("time"), datetimepicker: dateAndTime,
  multi_static_select: (e, b) => multi(e, b, options(e)),
  multi_users_select: (e, b) => multi(e, b, peopleOptions()),
  multi_channels_select: (e, b) => multi(e, b, channelOptions()),
  multi_conversations_select: (e, b) => multi(e, b, channelOptions()),
};

/** bind: {value, set(raw, done), label, inputId, blockId, invalid, optional, busy} */
export function input(element, bind) {
  const make = KINDS[element.type];
  if (make) return make(element, bind);
  return h("span.unknown", null, `(${element.type} is not shown here)`);
}

export const inputLabel = (object) => plainText(object);
