/** What people wrote: text, never markup, in its own direction, with what may be followed as links. */

import { parts } from "../core/links.js";
import { html } from "../html.js";

export function Words({ children }) {
  return html`<span class="words" dir="auto">
    ${parts(children).map(({ text, href }) => (href ? html`<a href=${href} target="_blank" rel="noopener noreferrer nofollow">${text}</a>` : text))}
  </span>`;
}
