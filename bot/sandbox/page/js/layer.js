// Things that float: menus beside a button, sheets on the phone, confirm dialogs. One at a time; Esc closes.
import { h } from "./dom.js";
import { textObject, plainText } from "./render/mrkdwn.js";

const root = () => document.getElementById("layer");
let current = null;

export function closePopover() {
  if (!current) return;
  const { node, anchor, restore } = current;
  current = null;
  node.remove();
  if (anchor) anchor.setAttribute("aria-expanded", "false");
  if (restore && anchor && anchor.isConnected) anchor.focus({ preventScroll: true });
}

function place(node, anchor, side) {
  if (matchMedia("(max-width: 767px)").matches) { node.classList.add("sheet"); return; }
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: w, offsetHeight: t } = node;
  let left = side === "right" ? box.right + 8 : Math.min(box.left, innerWidth - w - 8);
  let top = side === "right" ? box.bottom - t : box.bottom + 4;
  if (top + t > innerHeight - 8) top = side === "right" ? innerHeight - t - 8 : box.top - t - 4;
  node.style.left = `${Math.max(8, left)}px`;
  node.style.top = `${Math.max(8, top)}px`;
}

export function popover(anchor, content, { side = "below", label = "Menu", className = "" } = {}) {
  const again = current && current.anchor === anchor;
  closePopover();
  if (again) return null;
  const node = h("div.popover", { class: className, role: "dialog", "aria-label": label }, content);
  root().append(node);
  current = { node, anchor, restore: true };
  anchor.setAttribute("aria-expanded", "true");
  place(node, anchor, side);
  const first = node.querySelector("button, input, [tabindex]");
  if (first) first.focus({ preventScroll: true });
  return node;
}

/** items: {label, hint?, danger?, testid?, icon?, checked?, onpick} or "-" for a line. */
export function menu(anchor, items, options = {}) {
  const rows = items.map((item) => (item === "-" ? h("div.menu-line", { role: "separator" })
    : h("button.menu-item", {
      type: "button", role: "menuitem", class: item.danger ? "danger" : "", data: { testid: item.testid },
      onclick: () => { closePopover(); item.onpick(); },
    }, item.icon, h("span.menu-label", null, item.label), item.hint && h("span.menu-hint", null, item.hint))));
  return popover(anchor, h("div.menu", { role: "menu" }, options.title && h("div.menu-title", null, options.title), rows), { className: "popover-menu", ...options });
}

document.addEventListener("pointerdown", (event) => {
  if (!current || current.node.contains(event.target) || current.anchor.contains(event.target)) return;
  current.restore = false;
  closePopover();
});
document.addEventListener("keydown", (event) => {
  if (!current) return;
  if (event.key === "Escape") { event.stopPropagation(); closePopover(); }
  if (event.key === "ArrowDown" || event.key === "ArrowUp") walk(event);
}, true);

function walk(event) {
  const rows = [...current.node.querySelectorAll("[role=menuitem], [role=option]")];
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement);
  const next = (at + (event.key === "ArrowDown" ? 1 : -1) + rows.length) % rows.length;
  rows[next].focus();
  event.preventDefault();
}

/** Keeps Tab inside a dialog. */
export function trap(node) {
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") return;
    const stops = [...node.querySelectorAll("button, input, select, textarea, a[href], [tabindex='0']")]
      .filter((n) => !n.disabled && n.offsetParent !== null);
    if (!stops.length) return;
    const [first, last] = [stops[0], stops[stops.length - 1]];
    if (event.shiftKey && document.activeElement === first) { last.focus(); event.preventDefault(); }
    else if (!event.shiftKey && document.activeElement === last) { first.focus(); event.preventDefault(); }
  });
}

/** Slack's confirm object. Resolves to true or false. */
export function confirmDialog(confirm) {
  return new Promise((resolve) => {
    const before = document.activeElement;
    const end = (answer) => { overlay.remove(); before?.focus?.({ preventScroll: true }); resolve(answer); };
    const danger = confirm.style === "danger" ? "btn-danger-solid" : "btn-green";
    const yes = h("button.btn.btn-large", { type: "button", class: danger, data: { testid: "confirm-yes" }, onclick: () => end(true) }, ...plainText(confirm.confirm || { text: "Yes" }));
    const no = h("button.btn.btn-large", { type: "button", data: { testid: "confirm-no" }, onclick: () => end(false) }, ...plainText(confirm.deny || { text: "No" }));
    const box = h("div.dialog.dialog-small", { role: "alertdialog", "aria-modal": "true", "aria-labelledby": "confirm-title", data: { testid: "confirm" } },
      h("div.dialog-head", null, h("h2", { id: "confirm-title" }, ...plainText(confirm.title || { text: "Are you sure?" }))),
      h("div.dialog-body", null, textObject(confirm.text)),
      h("div.dialog-foot", null, no, yes));
    const overlay = h("div.overlay.overlay-top", { onkeydown: (e) => { if (e.key === "Escape") { e.stopPropagation(); end(false); } } }, box);
    trap(box);
    root().append(overlay);
    yes.focus();
  });
}
