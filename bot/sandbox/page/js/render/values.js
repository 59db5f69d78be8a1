// What inputs hold: their first value, and Slack's shape of it for view.state.values.

const SINGLE = { users_select: "selected_user", channels_select: "selected_channel", conversations_select: "selected_conversation" };
const MANY = { multi_users_select: "selected_users", multi_channels_select: "selected_channels", multi_conversations_select: "selected_conversations" };
const PLAIN = { datepicker: "selected_date", timepicker: "selected_time", datetimepicker: "selected_date_time" };

export const valueKey = (blockId, element) => `${blockId}/${element.action_id}`;

export function options(element) {
  return [...(element.options || []), ...(element.option_groups || []).flatMap((g) => g.options || [])];
}

export function initial(element) {
  switch (element.type) {
    case "datepicker": return element.initial_date || "";
    case "datetimepicker": return element.initial_date_time || "";
    case "timepicker": return element.initial_time || "";
    case "static_select": case "radio_buttons": return element.initial_option?.value ?? "";
    case "multi_static_select": case "checkboxes": return (element.initial_options || []).map((o) => o.value);
    case "users_select": return element.initial_user || "";
    case "channels_select": return element.initial_channel || "";
    case "conversations_select": return element.initial_conversation || "";
    case "multi_users_select": return element.initial_users || [];
    case "multi_channels_select": return element.initial_channels || [];
    case "multi_conversations_select": return element.initial_conversations || [];
    default: return element.initial_value ?? "";
  }
}

export function asState(element, raw) {
  const { type } = element;
  if (SINGLE[type]) return { type, [SINGLE[type]]: raw || null };
  if (MANY[type]) return { type, [MANY[type]]: raw };
  if (PLAIN[type]) return { type, [PLAIN[type]]: raw || null };
  if (type === "static_select" || type === "radio_buttons") return { type, selected_option: options(element).find((o) => o.value === raw) || null };
  if (type === "multi_static_select" || type === "checkboxes") return { type, selected_options: options(element).filter((o) => raw.includes(o.value)) };
  return { type, value: raw === "" ? null : raw };
}

const STATELESS = new Set(["button", "overflow", "image", "workflow_button"]);
export const holdsValue = (element) => Boolean(element && element.action_id && !STATELESS.has(element.type));

/** Every element of a view or message that holds a value, with its block. */
export function stateful(blocks) {
  const out = [];
  (blocks || []).forEach((block) => {
    const found = block.type === "input" ? [block.element] : block.type === "section" ? [block.accessory] : block.type === "actions" ? block.elements : [];
    (found || []).filter(holdsValue).forEach((element) => out.push([block, element]));
  });
  return out;
}

/** {block_id: {action_id: state}} of all that holds a value, read from a map of raw values. */
export function collect(blocks, raw) {
  const values = {};
  stateful(blocks).forEach(([block, element]) => {
    const held = raw.has(valueKey(block.block_id, element)) ? raw.get(valueKey(block.block_id, element)) : initial(element);
    (values[block.block_id] ||= {})[element.action_id] = asState(element, held);
  });
  return values;
}
