/** Tabs (WAI-ARIA): arrows move between them, the chosen one's panel is shown. */

import { useId, useRef } from "preact/hooks";
import { html } from "../html.js";

/** `tabs`: `[{id, label, count?}]`; `children` is the chosen tab's content. */
export function Tabs({ label, tabs, chosen, onChoose, children }) {
  const id = useId();
  const list = useRef(null);
  const onKeyDown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = tabs.findIndex((tab) => tab.id === chosen);
    const next = (at + step + tabs.length) % tabs.length;
    onChoose(tabs[next].id);
    list.current.children[next].focus();
  };
  return html`<div class="tabs">
    <div class="tab-list" role="tablist" aria-label=${label} ref=${list} onKeyDown=${onKeyDown}>
      ${tabs.map(
        (
          tab,
        ) => html`<button key=${tab.id} type="button" role="tab" class="tab" id=${`${id}-${tab.id}`} aria-controls=${`${id}-panel`}
          aria-selected=${String(tab.id === chosen)} tabindex=${tab.id === chosen ? 0 : -1} onClick=${() => onChoose(tab.id)}>
          ${tab.label}${tab.count > 0 && html` <span class="tab-count">${tab.count}</span>`}
        </button>`,
      )}
    </div>
    <div class="tab-panel" role="tabpanel" id=${`${id}-panel`} aria-labelledby=${`${id}-${chosen}`} tabindex="0">${children}</div>
  </div>`;
}
