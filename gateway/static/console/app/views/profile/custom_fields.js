/** What the bot learned of the visitor: to be read here, written by the bot alone. */

import { number } from "../../core/format.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";
import { Row } from "./rows.js";

export function CustomFields({ fields }) {
  const words = text.profile.custom;
  const names = Object.keys(fields).sort();
  return html`<section class="profile-section">
    <h3>${words.title}</h3>
    ${
      names.length === 0
        ? html`<p class="soft">${words.none}</p>`
        : html`<p class="row-hint">${words.hint}</p>
          <dl class="rows">${names.map((name) => html`<${Row} key=${name} label=${name}>${shown(fields[name])}<//>`)}</dl>`
    }
  </section>`;
}

function shown(value) {
  const words = text.profile.custom;
  if (typeof value === "boolean") return value ? words.yes : words.no;
  return typeof value === "number" ? number(value) : String(value);
}
