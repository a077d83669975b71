/** A table that becomes a card for each row where there is no room for columns. */

import { html } from "../html.js";

/**
 * `label` names the table. `columns`: `[{id, label, cell(item), head?, quiet?, end?}]`: `head` marks what a row is about, a `quiet`
 * label is for screen readers alone, `end` aligns with the end. `items` have ids.
 */
export function Table({ label, columns, items }) {
  // Roles said aloud: cards are made with `display`, which takes a table's own ones away in some browsers.
  return html`<div class="table-frame"><table class="table" role="table" aria-label=${label}>
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map(
          ({
            id,
            label: name,
            quiet,
            end,
          }) => html`<th key=${id} scope="col" role="columnheader" class=${end ? "cell-end" : undefined}>
            <span class=${quiet ? "visually-hidden" : undefined}>${name}</span>
          </th>`,
        )}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${items.map((item) => html`<tr key=${item.id} role="row">${columns.map((column) => html`<${Cell} key=${column.id} column=${column} item=${item} />`)}</tr>`)}
    </tbody>
  </table></div>`;
}

function Cell({ column: { label, cell, head, quiet, end }, item }) {
  const classes = `${head ? "cell-head" : ""} ${end ? "cell-end" : ""}`;
  if (head) return html`<th scope="row" role="rowheader" class=${classes}>${cell(item)}</th>`;
  return html`<td role="cell" class=${classes} data-label=${quiet ? undefined : label}>${cell(item)}</td>`;
}
