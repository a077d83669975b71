/** The head of a page: its title, what it is for, and what can be done on it. */

import { html } from "../html.js";

/** `actions`: buttons; `back`: a link to where the page belongs. */
export function PageHead({ title, lead, actions, back }) {
  return html`<header class="page-head">
    <div class="page-head-words">
      ${back}
      <h2 class="page-head-title" dir="auto">${title}</h2>
      ${lead && html`<p class="soft">${lead}</p>`}
    </div>
    ${actions && html`<div class="page-head-actions">${actions}</div>`}
  </header>`;
}
