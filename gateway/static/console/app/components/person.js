/** People at a glance: initials on a colour of their own, and how an agent stands. */

import { html } from "../html.js";
import { text } from "../text/index.js";

const HUES = 12;

/** The first letters of a name, on one of a few colours that the id picks. */
export function Avatar({ id, name, size = "m" }) {
  const letters = [...(name ?? "?").matchAll(/(?:^|\s)(\p{L}|\p{N})/gu)].map((match) => match[1]);
  const initials = (letters.length > 1 ? letters[0] + letters.at(-1) : (letters[0] ?? "?")).toUpperCase();
  return html`<span class=${`avatar avatar-${size} hue-${hue(id ?? name ?? "")}`} aria-hidden="true">${initials}</span>`;
}

/** A green dot for available, a red one for busy, hollow while not connected; said in words too. */
export function StatusDot({ agent }) {
  const words = agent.connected ? text.availability[agent.availability] : text.connected.false;
  return html`<span class=${`dot dot-${agent.availability} ${agent.connected ? "" : "dot-away"}`} role="img" aria-label=${words} title=${words} />`;
}

function hue(key) {
  let sum = 0;
  for (const letter of key) sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
  return sum % HUES;
}
