// Elements one can press on messages, modals and Home: buttons, menus, selects, pictures.
import { h, localImage, safeUrl } from "../dom.js";
import { linkHere } from "../permalink.js";
import { link } from "./link.js";
import { icon } from "../icons.js";
import { actionKey, click } from "../acts.js";
import { menu } from "../layer.js";
import { store } from "../store.js";
import { plainText } from "./mrkdwn.js";
import { input } from "./inputs.js";
import { asState, collect, initial, valueKey } from "./values.js";

const focusId = (block, element) => `${block}/${element.action_id}`;

function press(ctx, block, element, what) {
  const state = ctx.blocks ? collect(ctx.blocks, ctx.raw) : undefined;
  return click(ctx.source, block, element, { ...what, state });
}

function button(element, ctx, block) {
  const busy = store.pending.has(actionKey(ctx.source, block, element));
  const look = { primary: "btn-primary", danger: "btn-danger" }[element.style] || "";
  const label = h("span.btn-label", null, ...plainText(element.text));
  const shared = {
    class: `${look}${busy ? " is-busy" : ""}`, data: { actionId: element.action_id, focusId: focusId(block, element) },
    "aria-label": element.accessibility_label || null, "aria-busy": busy ? "true" : null,
  };
  const onclick = () => press(ctx, block, element, { value: element.value });
  const href = element.url && safeUrl(element.url);
  const here = href && linkHere(href);
  if (here) return h("a.btn", { ...shared, href: here.href, onclick: (event) => { here.onclick(event); onclick(); } }, label);
  if (href) return h("a.btn", { ...shared, href, target: "_blank", rel: "noopener noreferrer", onclick }, label);
  return h("button.btn", { ...shared, type: "button", onclick }, label, busy && h("span.spinner", { role: "status", "aria-label": "Sending" }));
}

function overflow(element, ctx, block) {
  const pick = (option) => {
    const href = option.url && safeUrl(option.url);
    if (href) window.open(href, "_blank", "noopener,noreferrer");
    press(ctx, block, element, { value: option.value, selected: option.value });
  };
  const busy = store.pending.has(actionKey(ctx.source, block, element));
  return h("button.btn.btn-icon", {
    type: "button", class: busy ? "is-busy" : "", "aria-label": "More actions", "aria-haspopup": "menu", "aria-expanded": "false",
    data: { actionId: element.action_id, focusId: focusId(block, element) },
    onclick: (event) => menu(event.currentTarget, (element.options || []).map((option) => ({
      label: option.text?.text || option.value, onpick: () => pick(option),
    }))),
  }, busy ? h("span.spinner") : icon("dotsH", 18));
}

export function image(element, className = "block-image") {
  const file = element.slack_file;
  const src = localImage(file ? file.url || `/files/${encodeURIComponent(file.id)}/picture` : element.image_url);
  const alt = element.alt_text || "";
  if (src) return h("img", { class: className, src, alt, loading: "lazy" });
  return h("span.image-away", { title: alt }, icon("eye", 14), " ", element.image_url ? link(element.image_url, alt || "Image") : alt);
}

function held(element, ctx, block) {
  const key = valueKey(block, element);
  const bind = {
    blockId: block, inputId: `in-${ctx.prefix}-${block}-${element.action_id}`, optional: true,
    busy: store.pending.has(actionKey(ctx.source, block, element)),
    value: ctx.raw.has(key) ? ctx.raw.get(key) : initial(element),
    set: (raw, done) => {
      ctx.raw.set(key, raw);
      if (done) press(ctx, block, element, { selected: raw, value: undefined, element: asState(element, raw) });
    },
    enter: () => press(ctx, block, element, { value: ctx.raw.get(key), selected: ctx.raw.get(key) }),
  };
  return input(element, bind);
}

/** Any element outside an input block. ctx: {source, raw: Map, blocks, prefix}. */
export function element(el, ctx, block) {
  if (el.type === "button" || el.type === "workflow_button") return button(el, ctx, block);
  if (el.type === "overflow") return overflow(el, ctx, block);
  if (el.type === "image") return image(el, "accessory-image");
  return held(el, ctx, block);
}
