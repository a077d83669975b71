/** What is shown for a channel without a flow: flows to begin with. */

import { Button } from "../../components/button.js";
import { Icon } from "../../components/icon.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";

export function Templates({ desk }) {
  const { empty, templates } = text.flow;
  const paste = () => {
    desk.view.value = "json";
  };
  return html`<section class="flow-empty">
    <${Icon} name="bot" size=${32} />
    <h3>${empty.title}</h3>
    <p class="soft">${empty.lead}</p>
    <ul class="flow-templates">
      ${templates.map(
        ({ id, title, lead, flow }) => html`<li key=${id} class="flow-template">
          <h4>${title}</h4>
          <p class="soft">${lead}</p>
          <${Button} small onClick=${() => desk.editor.change(structuredClone(flow))}>${empty.use}<span class="visually-hidden"> (${title})</span><//>
        </li>`,
      )}
    </ul>
    <${Button} kind="quiet" onClick=${paste}>${empty.json}<//>
  </section>`;
}
