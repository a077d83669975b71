/** What can be pressed. */

import { html } from "../html.js";
import { Icon } from "./icon.js";

/** A button with words; `kind`: `primary`, `plain` (default), `quiet`, `danger`; `busy` keeps it from being pressed twice. */
export function Button({
  kind = "plain",
  icon,
  busy = false,
  disabled = false,
  type = "button",
  small = false,
  class: extra = "",
  children,
  ...rest
}) {
  const classes = `button button-${kind} ${small ? "button-small" : ""} ${extra}`;
  return html`<button type=${type} class=${classes} disabled=${disabled || busy} aria-busy=${busy || undefined} ...${rest}>
    ${icon && html`<${Icon} name=${icon} size=${16} />`}${children}
  </button>`;
}

/** A button with an icon alone; `label` says what it does. */
export function IconButton({ icon, label, size = 18, class: extra = "", ...rest }) {
  return html`<button type="button" class=${`icon-button ${extra}`} aria-label=${label} title=${label} ...${rest}>
    <${Icon} name=${icon} size=${size} />
  </button>`;
}

/** A link that looks like a button. */
export function LinkButton({ kind = "plain", icon, href, children, ...rest }) {
  return html`<a class=${`button button-${kind}`} href=${href} ...${rest}>
    ${icon && html`<${Icon} name=${icon} size=${16} />`}${children}
  </a>`;
}
