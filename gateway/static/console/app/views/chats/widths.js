/** How many panes fit beside each other. */

import { signal } from "@preact/signals";

/** One pane at a time. */
export const narrow = watched("(width <= 900px)");
/** The profile beside the conversation. */
export const wide = watched("(width >= 1200px)");

function watched(query) {
  const media = matchMedia(query);
  const matches = signal(media.matches);
  media.addEventListener("change", () => {
    matches.value = media.matches;
  });
  return matches;
}
