/** Icons, drawn as strokes of the text's colour; beside words they say nothing themselves. */

import { html } from "../html.js";

const PATHS = {
  chats: "M4 5h16v11H9l-5 4z",
  queue: "M5 6h14M5 12h14M5 18h8",
  admin:
    "M12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.1 2.1M16.3 16.3l2.1 2.1M5.6 18.4l2.1-2.1M16.3 7.7l2.1-2.1",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM20 20l-4-4",
  send: "M4 12l16-8-6 16-3-6z",
  archive: "M3 5h18v4H3zM5 9v10h14V9M10 13h4",
  bot: "M6 9h12v9H6zM12 5v4M9.5 13h.01M14.5 13h.01M3 12v3M21 12v3",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4 20c1-4 4-6 8-6s7 2 8 6",
  people:
    "M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM2.5 19c.8-3.3 3.2-5 6.5-5s5.700 1.700 6.500 5M16 5.500a3.500 3.500 0 0 1 0 6.500M18 14.500c2 .7 3.100 2.200 3.500 4.500",
  back: "M15 5l-7 7 7 7",
  forward: "M9 5l7 7-7 7",
  down: "M6 9l6 6 6-6",
  up: "M6 15l6-6 6 6",
  close: "M6 6l12 12M18 6L6 18",
  check: "M5 13l4 4L19 7",
  checks: "M2 13l4 4L15 7M10 15.500l1.500 1.500L21 7",
  clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4l3 2",
  warning: "M12 4l9 16H3zM12 10v4M12 17h.01",
  edit: "M4 20l1-4L16 5l3 3L8 19z",
  trash: "M5 7h14M10 4h4M7 7l1 13h8l1-13M10.500 11v5M13.500 11v5",
  plus: "M12 5v14M5 12h14",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  note: "M5 4h14v11l-5 5H5zM14 20v-5h5",
  ticket: "M3 7h18v3.500a1.500 1.500 0 0 0 0 3V17H3v-3.500a1.500 1.500 0 0 0 0-3zM14 7v10",
  globe:
    "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM4 12h16M12 4c2.500 2.200 3.500 5 3.500 8s-1 5.800-3.500 8c-2.500-2.200-3.500-5-3.500-8s1-5.800 3.500-8z",
  messenger:
    "M12 4c-4.700 0-8 3.300-8 7.500 0 2.300 1 4.300 2.600 5.600V20l2.700-1.500c.8.3 1.700.4 2.700.4 4.700 0 8-3.300 8-7.400S16.700 4 12 4zM8 13.500l3-3 2.500 2 2.500-3",
  bell: "M6 16V11a6 6 0 0 1 12 0v5l1.500 2h-15zM10 20.500h4",
  history: "M4 12a8 8 0 1 0 2.500-5.800M4 4v4h4M12 8v4l3 2",
  play: "M8 5l11 7-11 7z",
  key: "M8 10a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM11 12l8-8M16 7l3 3",
  webhook: "M9 9a3.500 3.500 0 1 1 5 3l2.500 4M8 13l-2.500 1.500a3 3 0 1 0 3.500 3.500h6M18 14.500a3 3 0 1 1-2 5",
  external: "M14 5h5v5M19 5l-8 8M11 6H5v13h13v-6",
  star: "M12 4l2.500 5.200 5.500.8-4 4 1 5.500-5-2.700-5 2.700 1-5.500-4-4 5.500-.8z",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600L7 7M17 17l1.400 1.400M5.600 18.400L7 17M17 7l1.400-1.400",
  undo: "M8 5L4 9l4 4M4 9h10a5.500 5.500 0 0 1 0 11h-3",
  redo: "M16 5l4 4-4 4M20 9H10a5.500 5.500 0 0 0 0 11h3",
  menu: "M4 7h16M4 12h16M4 17h16",
};

/** An icon by its name. */
export function Icon({ name, size = 18 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d=${PATHS[name]} />
  </svg>`;
}
