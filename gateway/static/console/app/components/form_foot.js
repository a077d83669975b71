/** The end of a form: what went wrong with all of it, what changed under it, and its buttons. */

import { explain } from "../core/toasts.js";
import { html } from "../html.js";
import { text } from "../text/index.js";
import { Button } from "./button.js";

/** `form`: of useForm; `fields`: labels of those that show what is wrong with them, by field; `onClose`: closes the window that it is in. */
export function FormFoot({ form, fields, submit = text.actions.save, onClose }) {
  const conflicts = form.conflicts.map((field) => fields[field] ?? field).join(", ");
  return html`
    ${conflicts && html`<p class="form-conflict" role="status">${text.changedMeanwhile(conflicts)}</p>`}
    ${form.untold(Object.keys(fields)) && html`<p class="form-problem" role="alert">${explain(form.problem)}</p>`}
    <footer class="dialog-foot">
      <${Button} onClick=${onClose}>${text.actions.cancel}<//>
      <${Button} kind="primary" type="submit" busy=${form.busy}>${form.busy ? text.actions.saving : submit}<//>
    </footer>
  `;
}
