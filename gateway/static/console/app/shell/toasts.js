/** The short words at the edge of the screen, told to screen readers as they come. */

import { IconButton } from "../components/button.js";
import { Icon } from "../components/icon.js";
import { dismiss, toasts } from "../core/toasts.js";
import { html } from "../html.js";
import { text } from "../text/index.js";

export function Toasts() {
  return html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.value.map(
      ({ id, tone, words }) => html`<div key=${id} class=${`toast toast-${tone}`}>
        <${Icon} name=${tone === "good" ? "check" : "warning"} />
        <span dir="auto">${words}</span>
        <${IconButton} icon="close" size=${14} label=${text.actions.dismiss} onClick=${() => dismiss(id)} />
      </div>`,
    )}
  </div>`;
}
