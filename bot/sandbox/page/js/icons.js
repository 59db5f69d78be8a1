// The page's own line icons, drawn on a 20 × 20 grid, as SVG nodes.

const NS = "http://www.w3.org/2000/svg";
const STROKES = {
  home: "M3 9.2 10 3.2l7 6V16a1.2 1.2 0 0 1-1.2 1.2H12v-4.6H8v4.6H4.2A1.2 1.2 0 0 1 3 16Z",
  dms: "M3 6.2A2.4 2.4 0 0 1 5.4 3.8h6.2A2.4 2.4 0 0 1 14 6.2v3a2.4 2.4 0 0 1-2.4 2.4H7.4L4.6 14v-2.5A2.4 2.4 0 0 1 3 9.2ZM16 8.3a2 2 0 0 1 1.2 1.9v2.6a2 2 0 0 1-1.2 1.9v2l-2.5-1.9H9.6",
  bell: "M5 13.6V9a5 5 0 0 1 10 0v4.6l1.4 1.2H3.6ZM8.2 17a1.9 1.9 0 0 0 3.6 0",
  search: "M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12ZM13.4 13.4 17 17",
  clock: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 6.4V10l2.6 1.8",
  back: "M16.5 10h-13M8.6 4.8 3.4 10l5.2 5.2",
  forward: "M3.5 10h13M11.4 4.8l5.2 5.2-5.2 5.2",
  help: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM8 8.2a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.4M10 13.8v.1",
  compose: "M10 4H5a2 2 0 0 0-2 2v9a2 2 0 0 0 2 2h9a2 2 0 0 0 2-2v-5M8.2 11.8l.5-2.5 6.6-6.6 2 2-6.6 6.6Z",
  hash: "M7.6 3 6.2 17M13.8 3l-1.4 14M3.4 7.4h13.4M3 12.6h13.4",
  lock: "M5.2 9h9.6v7.6H5.2ZM7 9V6.4a3 3 0 0 1 6 0V9",
  thread: "M4 4.4h12v8.4H9.2L6 15.6v-2.8H4ZM7 7.4h6M7 9.9h4",
  plus: "M10 4v12M4 10h12",
  chevron: "M5.5 7.8 10 12.3l4.5-4.5",
  chevronRight: "M7.8 5.5 12.3 10l-4.5 4.5",
  close: "M5 5l10 10M15 5 5 15",
  dots: "M10 4.6v.1M10 10v.1M10 15.4v.1",
  dotsH: "M4.6 10h.1M10 10h.1M15.4 10h.1",
  smile: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM7.6 8.2v.2M12.4 8.2v.2M6.9 11.6a3.4 3.4 0 0 0 6.2 0",
  reply: "M3.6 5.6A1.6 1.6 0 0 1 5.2 4h9.6a1.6 1.6 0 0 1 1.6 1.6v6a1.6 1.6 0 0 1-1.6 1.6H9.4L6 16v-2.8h-.8a1.6 1.6 0 0 1-1.6-1.6ZM7 7.2h6M7 9.9h3.6",
  forwardMsg: "M11.6 4.4 17 9.4l-5.4 5V11.6C7.4 11.4 4.8 12.8 3 16c.2-5 3-8.4 8.6-8.8Z",
  save: "M5.4 3.4h9.2v13L10 13l-4.6 3.4Z",
  send: "M3.4 3.6 17 10 3.4 16.4l1.8-5.3 6-1.1-6-1.1Z",
  at: "M13 10a3 3 0 1 1-6 0 3 3 0 0 1 6 0Zm0 0v1.2a2 2 0 0 0 4 0V10a7 7 0 1 0-2.6 5.4",
  bold: "M6 4h5a3 3 0 0 1 0 6H6ZM6 10h5.8a3 3 0 0 1 0 6H6Z",
  italic: "M11.6 4 8.4 16M9.4 4H14M6 16h4.6",
  strike: "M3.6 10h12.8M13.6 6.4C13 4.8 11.6 4 10 4 8 4 6.6 5 6.6 6.8c0 1.4.9 2.3 2.4 3.2M6.4 13.4C7 15.200 8.400 16 10.200 16c2 0 3.400-1.100 3.400-2.900 0-.7-.2-1.200-.5-1.700",
  linkIcon: "M8.600 11.400a2.800 2.800 0 0 0 4 0l3-3a2.800 2.800 0 0 0-4-4l-.9.9M11.400 8.600a2.800 2.800 0 0 0-4 0l-3 3a2.800 2.800 0 0 0 4 4l.9-.9",
  listBullet: "M8 5h9M8 10h9M8 15h9M4 5v.1M4 10v.1M4 15v.1",
  listNumber: "M8.400 5H17M8.400 10H17M8.400 15H17M3.600 3.800 4.600 3.400v3.200M3.400 9.200c1-.9 2.200 0 1.400.9L3.400 11.600h1.800M3.400 13.600h1.800l-1 1.200c1.400 0 1.200 1.800-.8 1.600",
  quote: "M4 4v12M8 6h8M8 10h8M8 14h5",
  code: "M7.400 6 3.400 10l4 4M12.600 6l4 4-4 4",
  codeBlock: "M3.400 4h13.200v12H3.400ZM8 8l-2 2 2 2M12 8l2 2-2 2",
  aa: "M3 14.600 6.400 5.400h.8l3.400 9.200M4.200 11.800h5M17 9.400v5.200M17 12a2.400 2.400 0 1 1-4.800 0 2.400 2.400 0 0 1 4.800 0",
  slash: "M4 3.600h12a.6.6 0 0 1 .6.600v11.600a.6.600 0 0 1-.600.600H4a.6.600 0 0 1-.600-.600V4.200A.6.600 0 0 1 4 3.600ZM12 6.800l-4 6.400",
  file: "M5.400 3.400h6l3.400 3.400v9.800H5.400ZM11.200 3.600V7h3.400",
  warning: "M10 3.800 17.200 16.200H2.800ZM10 8.200v3.600M10 13.900v.1",
  eye: "M2.800 10S5.400 5.200 10 5.200 17.200 10 17.200 10 14.600 14.800 10 14.800 2.800 10 2.800 10ZM12 10a2 2 0 1 1-4 0 2 2 0 0 1 4 0Z",
  people: "M7.600 9.400a2.600 2.600 0 1 0 0-5.200 2.600 2.600 0 0 0 0 5.200ZM3 16c0-2.800 1.800-4.600 4.600-4.600S12.200 13.200 12.200 16ZM13 4.600a2.400 2.400 0 0 1 0 4.600M14 11.600c2 .4 3.200 2 3.200 4.400h-2",
  check: "M4 10.600l4 4 8-8.800",
  download: "M10 3.600v8.800M6.400 9.200l3.600 3.600 3.600-3.600M4 16.400h12",
  star: "M10 3.400l2 4.300 4.700.6-3.500 3.200.9 4.700-4.100-2.300-4.100 2.300.9-4.700L3.300 8.300l4.700-.6Z",
  bolt: "M11 3 4.600 11.400h4.600L8.600 17l6.600-8.600h-4.800Z",
};
const SHIELD = ["M10 2.6 16 4.800v4.600c0 3.800-2.400 6.600-6 8-3.600-1.400-6-4.200-6-8V4.800Z", "M7.200 9.900l2 2 3.700-4"];

function svg(size, className) {
  const node = document.createElementNS(NS, "svg");
  node.setAttribute("viewBox", "0 0 20 20");
  node.setAttribute("width", size);
  node.setAttribute("height", size);
  node.setAttribute("class", className);
  node.setAttribute("aria-hidden", "true");
  return node;
}

function path(d, width) {
  const node = document.createElementNS(NS, "path");
  node.setAttribute("d", d);
  node.setAttribute("fill", "none");
  node.setAttribute("stroke", "currentColor");
  node.setAttribute("stroke-width", width);
  node.setAttribute("stroke-linecap", "round");
  node.setAttribute("stroke-linejoin", "round");
  return node;
}

export function icon(name, size = 18) {
  const node = svg(size, `icon icon-${name}`);
  const dotted = name === "dots" || name === "dotsH";
  node.append(path(STROKES[name] || STROKES.help, dotted ? 2.4 : 1.6));
  return node;
}

/** The app's face: a shield with a tick, on its own colour. */
export function shield(size = 22) {
  const node = svg(size, "icon icon-shield");
  SHIELD.forEach((d) => node.append(path(d, 1.8)));
  return node;
}
