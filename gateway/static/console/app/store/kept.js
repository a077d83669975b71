/** What this tab keeps for an agent over reloads: under the agent's id, for another one may sign in here. */

import { me } from "../core/session.js";

/** What was kept, or null. */
export function recall(kind, id) {
  try {
    return JSON.parse(sessionStorage.getItem(keyOf(kind, id)) ?? "null");
  } catch {
    return null;
  }
}

/** Keep a value; null drops it. A full or forbidden storage keeps nothing. */
export function keep(kind, id, value) {
  try {
    if (value === null) sessionStorage.removeItem(keyOf(kind, id));
    else sessionStorage.setItem(keyOf(kind, id), JSON.stringify(value));
  } catch {
    // It lasts until the reload, then.
  }
}

function keyOf(kind, id) {
  return `foyer.${kind}.${me.peek()?.id}.${id}`;
}
