// Block Kit blocks to DOM nodes, for messages, modals and Home alike.
import { h } from "../dom.js";
import { sourceKey } from "../acts.js";
import { store } from "../store.js";
import { dayKey, now } from "../time.js";
import { collapsible } from "./collapse.js";
import { element, image } from "./elements.js";
import { input } from "./inputs.js";
import { plainText, textObject } from "./mrkdwn.js";
import { richText } from "./richtext.js";
import { table } from "./table.js";
import { initial, valueKey } from "./values.js";

function section(block, ctx) {
  const main = h("div.section-main", null,
    block.text && textObject(block.text),
    block.fields && h("div.fields", null, block.fields.map((field) => h("div.field-cell", null, textObject(field)))));
  if (!block.accessory) return h("div.block.section", null, block.expand || ctx.whole ? main : collapsible(main));
  return h("div.block.section.with-accessory", null, main, h("div.accessory", null, element(block.accessory, ctx, block.block_id)));
}

function context(block) {
  return h("div.block.context", null, (block.elements || []).map((el) =>
    (el.type === "image" ? image(el, "context-image") : h("div.context-text", null, textObject(el)))));
}

function actions(block, ctx) {
  return h("div.block.actions", null, (block.elements || []).map((el) => element(el, ctx, block.block_id)));
}

function picture(block) {
  return h("figure.block.picture", null, block.title && h("figcaption", null, ...plainText(block.title)), image(block));
}

function inputBlock(block, ctx) {
  const key = valueKey(block.block_id, block.element);
  const id = `in-${ctx.prefix}-${block.block_id}`;
  const error = ctx.errors?.[block.block_id];
  const notes = [block.hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  const single = !["radio_buttons", "checkboxes"].includes(block.element.type);
  const label = [...plainText(block.label), block.optional && h("span.optional", null, " (optional)")];
  return h("div.block.input-block", { class: error ? "has-error" : "", data: { blockId: block.block_id } },
    h(single ? "label.input-label" : "div.input-label", single ? { for: id } : null, label),
    input(block.element, {
      blockId: block.block_id, inputId: id, label: block.label?.text, optional: block.optional, invalid: Boolean(error), describedBy: notes || null,
      value: ctx.raw.has(key) ? ctx.raw.get(key) : initial(block.element),
      set: (raw, done) => { ctx.raw.set(key, raw); ctx.edited?.(block, done); },
      enter: () => ctx.enter?.(block),
    }),
    error && h("div.input-error", { id: `${id}-error`, role: "alert", data: { testid: "input-error" } }, error),
    block.hint && h("div.input-hint", { id: `${id}-hint` }, ...plainText(block.hint)));
}

const BLOCKS = {
  header: (block) => h("div.block.header", { role: "heading", "aria-level": "3" }, ...plainText(block.text)),
  section, context, actions, image: picture, input: inputBlock,
  divider: () => h("hr.block.rule"),
  rich_text: (block, ctx) => h("div.block", null, ctx.whole ? richText(block) : collapsible(richText(block))),
  table: (block) => h("div.block.table-block", null, table(block)),
  markdown: (block) => h("div.block", null, h("div.plain", null, block.text || "")),
};

function one(block, ctx) {
  const draw = BLOCKS[block.type];
  return draw ? draw(block, ctx) : h("div.block.unknown", null, `(a ${block.type} block is not shown here)`);
}

export const blocks = (list, ctx) => h("div.blocks", null, (list || []).map((block) => one(block, ctx)));

const SILENT = new Set(["header", "context", "image", "divider", "rich_text", "table", "markdown"]);

/** What a block shows, apart from people's names: the app gives one that answers nobody a new id at each edit. */
function sign(block, ctx) {
  const silent = SILENT.has(block.type) || (block.type === "section" && !block.accessory);
  const shown = JSON.stringify(silent ? { ...block, block_id: null } : block);
  const busy = [...store.pending].filter((key) => key.startsWith(`${sourceKey(ctx.source)}/${block.block_id}/`));
  return JSON.stringify([shown, busy, shown.includes("{ago}") ? Math.floor(now() / 30) : dayKey(now())]);
}

/** The blocks as items to keep: only those that changed are drawn anew. */
export const keptBlocks = (list, ctx) => list.map((block, n) => (
  { key: `block-${n}`, sign: sign(block, ctx), draw: () => one(block, ctx) }));
