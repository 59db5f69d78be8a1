// Building blocks for the DOM. Text enters only as text nodes; nothing here parses HTML.

const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "hidden", "tabIndex", "type"]);

function applyProp(node, key, value) {
  if (value === undefined || value === null || value === false) return;
  if (key === "data") Object.entries(value).forEach(([k, v]) => v != null && (node.dataset[k] = v));
  else if (key === "style") Object.entries(value).forEach(([k, v]) => node.style.setProperty(k, v));
  else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
  else if (PROPERTIES.has(key)) node[key] = value;
  else node.setAttribute(key, value === true ? "" : String(value));
}

export function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

/** h("p.lead", {title: "…"}, "text", node) makes an element; children that are not nodes become text. */
export function h(spec, props, ...children) {
  const [tag, ...classes] = spec.split(".");
  const node = document.createElement(tag || "div");
  if (classes.length) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(props || {})) {
    if (key === "class") node.classList.add(...String(value || "").split(" ").filter(Boolean));
    else applyProp(node, key, value);
  }
  return append(node, children);
}

export function replace(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

/** Redraws a part only when what it shows has changed, so that focus and hover survive. */
export function redraw(node, signature, draw) {
  const text = JSON.stringify(signature);
  if (node.__signature === text) return false;
  node.__signature = text;
  const active = node.contains(document.activeElement) ? document.activeElement : null;
  const id = active && active.dataset ? active.dataset.focusId : null;
  replace(node, draw());
  if (id) focusAgain(node, id);
  return true;
}

/**
 * Makes a node hold what `items` say, in their order, without touching what stays as it is.
 * An item is {key, sign, draw, update?}: when its sign has changed it is updated where it stands, or else drawn anew;
 * without a sign it is updated each time.
 * `after` is a child that is not ours, behind which the first item stands.
 */
export function keep(node, items, after = null) {
  const kept = node.__kept || (node.__kept = new Map());
  const wanted = new Set(items.map((item) => item.key));
  for (const [key, one] of kept) if (!wanted.has(key)) { one.node.remove(); kept.delete(key); }
  const nodes = items.map((item) => keptNode(kept, item));   // first changed where they stand, then put in order
  let at = after ? after.nextSibling : node.firstChild;
  nodes.forEach((one) => {
    if (one === at) at = at.nextSibling;
    else node.insertBefore(one, at);
  });
}

function keptNode(kept, { key, sign, draw, update }) {
  const known = kept.get(key);
  if (known && sign !== undefined && known.sign === sign) return known.node;
  if (known && update) {
    known.sign = sign;
    update(known.node);
    return known.node;
  }
  const node = draw();
  if (known) {
    const focused = known.node.contains(document.activeElement) ? document.activeElement.dataset.focusId : null;
    known.node.replaceWith(node);
    if (focused) focusAgain(node, focused);
  }
  kept.set(key, { node, sign });
  return node;
}

/** Forgets and removes all that was kept in a node. */
export function forget(node) {
  node.__kept?.clear();
  node.replaceChildren();
}

export function focusAgain(node, id) {
  const next = [...node.querySelectorAll("[data-focus-id]")].find((n) => n.dataset.focusId === id);
  if (next) next.focus({ preventScroll: true });
}

export function safeUrl(url) {
  try {
    const parsed = new URL(String(url), location.origin);
    return ["http:", "https:", "mailto:"].includes(parsed.protocol) ? parsed.href : null;
  } catch {
    return null;
  }
}

const LOOPBACK = new Set(["127.0.0.1", "localhost"]);

/** Pictures come from this server or from the data itself; anything outside is shown as a link, never fetched. */
export function localImage(url) {
  if (/^data:image\/(png|jpeg|gif|webp);base64,/i.test(String(url || ""))) return url;
  try {
    const parsed = new URL(String(url), location.origin);
    const here = parsed.port === location.port && LOOPBACK.has(parsed.hostname) && LOOPBACK.has(location.hostname);
    return parsed.origin === location.origin || here ? location.origin + parsed.pathname + parsed.search : null;
  } catch {
    return null;
  }
}
