// Slack's table block: the first row is the heading; cells are raw text or rich text.
import { h } from "../dom.js";
import { richText } from "./richtext.js";

function cellContent(cell) {
  if (!cell) return "";
  if (cell.type === "rich_text") return richText(cell);
  if (cell.type === "raw_number") return cell.text ?? String(cell.value ?? "");
  return cell.text ?? "";
}

export function table(block) {
  const settings = block.column_settings || [];
  const [head, ...rows] = block.rows || [];
  const look = (i) => {
    const one = settings[i] || {};
    return `align-${["center", "right"].includes(one.align) ? one.align : "left"}${one.is_wrapped ? " wrapped" : ""}`;
  };
  const heading = h("tr", null, (head || []).map((cell, i) => h("th", { scope: "col", class: look(i) }, cellContent(cell))));
  const body = rows.map((row) => h("tr", null, row.map((cell, i) => h("td", { class: look(i) }, cellContent(cell)))));
  return h("div.table-scroll", { tabindex: "0", role: "region", "aria-label": "Table, scrolls sideways" },
    h("table.block-table", null, h("thead", null, heading), h("tbody", null, body)));
}
