/** What a store of few things holds, once it is loaded. */

import { html } from "../html.js";
import { Failed, Skeleton } from "./states.js";

/** `store`: a Collection; `children(items)` shows them. */
export function Stored({ store, lines = 4, children }) {
  if (store.loaded.value) return children(store.items.value);
  if (store.problem.value !== null) return html`<${Failed} problem=${store.problem.value} onRetry=${() => store.load()} />`;
  return html`<${Skeleton} lines=${lines} />`;
}
