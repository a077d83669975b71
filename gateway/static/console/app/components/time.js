/** A time, in the form its place wants, with all of it on hovering. */

import { fullTime, moment } from "../core/format.js";
import { html } from "../html.js";

export function Time({ at, form = moment }) {
  return html`<time datetime=${at} title=${fullTime(at)}>${form(at)}</time>`;
}
