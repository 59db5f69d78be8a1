// Dialogs opened by the app: the stack's top view, its inputs, errors, submit and cancel.
import { append, h } from "./dom.js";
import { icon } from "./icons.js";
import { close, submit } from "./acts.js";
import { trap } from "./layer.js";
import { store, userOf } from "./store.js";
import { blocks } from "./render/blocks.js";
import { plainText } from "./render/mrkdwn.js";
import { shield } from "./icons.js";
import { collect, stateful, valueKey } from "./render/values.js";

const root = () => document.getElementById("modals");
const raws = new Map();      // view id → what its inputs hold
const refused = new Map();   // view id → errors of the last submission
const mended = new Map();    // view id → blocks edited since then, whose error is gone
let drawn = null, before = null, sending = null;

const stack = () => (store.state?.views || []).filter((v) => v.type !== "home" && (!v.user || v.user === store.me));
const rawOf = (id) => raws.get(id) || raws.set(id, new Map()).get(id);

/** A value stands while its block and action keep their ids; others are forgotten. */
function prune(view) {
  const raw = rawOf(view.id);
  const keep = new Set(stateful(view.blocks).map(([block, element]) => valueKey(block.block_id, element)));
  [...raw.keys()].forEach((key) => keep.has(key) || raw.delete(key));
}

function missing(view) {
  const values = collect(view.blocks, rawOf(view.id));
  const empty = (state) => Object.entries(state).every(([k, v]) => k === "type" || v === null || v === "" || (Array.isArray(v) && !v.length));
  const out = {};
  (view.blocks || []).filter((b) => b.type === "input" && !b.optional).forEach((block) => {
    if (empty(values[block.block_id]?.[block.element.action_id] || {})) out[block.block_id] = "Please complete this required field.";
  });
  return { values, errors: out };
}

async function send(view) {
  if (sending) return;
  const { values, errors } = missing(view);
  if (Object.keys(errors).length) { refuse(view.id, { errors }); return; }
  sending = view.id;
  refused.delete(view.id);
  draw(true);
  const answer = await submit(view.id, values);
  sending = null;
  refuse(view.id, { errors: answer.errors || {}, said: answer.error });
}

function refuse(id, { errors, said }) {
  mended.delete(id);
  refused.set(id, { errors, said });
  draw(true);
  root().querySelector(".has-error input, .has-error select, .has-error textarea, .has-error button")?.focus();
}

function context(view) {
  const errors = { ...(view.errors || {}), ...(refused.get(view.id)?.errors || {}) };
  mended.get(view.id)?.forEach((blockId) => delete errors[blockId]);
  return {
    source: { view_id: view.id }, raw: rawOf(view.id), blocks: view.blocks, prefix: view.id, errors, whole: true,
    enter: () => send(view),
    edited: (block) => clearError(view.id, block.block_id),
  };
}

function clearError(id, blockId) {
  if (!mended.has(id)) mended.set(id, new Set());
  mended.get(id).add(blockId);
  const box = [...root().querySelectorAll(".input-block")].find((n) => n.dataset.blockId === blockId);
  box?.classList.remove("has-error");
  box?.querySelector(".input-error")?.remove();
}

function foot(view) {
  if (!view.submit && !view.close) return h("div.dialog-foot", null, h("button.btn.btn-large", { type: "button", onclick: () => close(view.id) }, "Close"));
  const busy = sending === view.id;
  return h("div.dialog-foot", null,
    h("button.btn.btn-large", { type: "button", data: { testid: "modal-close", focusId: "modal-close" }, onclick: () => close(view.id) }, ...plainText(view.close || { text: view.submit ? "Cancel" : "Close" })),
    view.submit && h("button.btn.btn-large.btn-green", { type: "button", disabled: busy || view.submit_disabled, class: busy ? "is-busy" : "", data: { testid: "modal-submit", focusId: "modal-submit" }, onclick: () => send(view) },
      h("span.btn-label", null, ...plainText(view.submit)), busy && h("span.spinner", { role: "status", "aria-label": "Sending" })));
}

function dialog(view) {
  const said = refused.get(view.id)?.said || store.errors.get(view.id);
  const app = (store.state.users || []).find((u) => u.is_bot);
  const box = h("div.dialog", { role: "dialog", "aria-modal": "true", "aria-labelledby": `title-${view.id}`, data: { testid: "modal", viewId: view.id, callbackId: view.callback_id } },
    h("div.dialog-head", null, h("span.avatar.avatar-app.avatar-modal", { "aria-hidden": "true" }, shield(18)),
      h("h2", { id: `title-${view.id}` }, ...plainText(view.title)),
      h("button.icon-button", { type: "button", "aria-label": "Close", data: { testid: "modal-x" }, onclick: () => close(view.id, true) }, icon("close", 20))),
    h("div.dialog-body", { tabindex: "-1" }, said && h("div.dialog-error", { role: "alert", data: { testid: "modal-error" } }, icon("warning", 18), h("span", null, said)), blocks(view.blocks, context(view))),
    foot(view), h("div.visually-hidden", null, app ? `A dialog of ${userOf(app.id)?.real_name || app.name}` : ""));
  trap(box);
  return box;
}

function focusFirst(box) {
  const first = box.querySelector("[autofocus], .input-block input, .input-block textarea, .input-block select") || box.querySelector("[data-testid=modal-submit]") || box.querySelector("button");
  first?.focus({ preventScroll: true });
}

function mark(view) {
  const pending = [...store.pending].filter((key) => key.startsWith(`${view.id}/`));
  return JSON.stringify([view.id, view.hash, view.title, view.blocks, view.errors, store.errors.get(view.id), pending, sending === view.id]);
}

export function draw(force = false) {
  const views = stack();
  const view = views[views.length - 1];
  if (!view) { shut(); return; }
  const sign = mark(view);
  if (!force && drawn?.sign === sign) return;
  const same = drawn?.id === view.id;
  if (!drawn) before = document.activeElement;
  prune(view);
  const old = root().querySelector(".dialog");
  const place = same && old ? { scroll: old.querySelector(".dialog-body").scrollTop, focus: document.activeElement?.dataset?.focusId, from: document.activeElement?.selectionStart } : null;
  const box = dialog(view);
  root().replaceChildren(append(h("div.overlay", { onkeydown: (e) => { if (e.key === "Escape") { e.stopPropagation(); close(view.id); } } }), [box]));
  drawn = { id: view.id, sign };
  if (!place) { focusFirst(box); return; }
  box.querySelector(".dialog-body").scrollTop = place.scroll;
  const again = place.focus && [...box.querySelectorAll("[data-focus-id]")].find((n) => n.dataset.focusId === place.focus);
  if (again) { again.focus({ preventScroll: true }); if (place.from != null) try { again.setSelectionRange(place.from, place.from); } catch { /* not a text field */ } }
  else box.querySelector(".dialog-body").focus({ preventScroll: true });
}

function shut() {
  if (!drawn) return;
  drawn = null;
  root().replaceChildren();
  if (before?.isConnected) before.focus({ preventScroll: true });
}
