/** A new API token: what it is for, and what it may do. */

import { CheckList } from "../../../components/check_list.js";
import { Dialog } from "../../../components/dialog.js";
import { TextField } from "../../../components/field.js";
import { FormFoot } from "../../../components/form_foot.js";
import { post } from "../../../core/api.js";
import { useForm } from "../../../core/form.js";
import { Problem } from "../../../core/problem.js";
import { html } from "../../../html.js";
import { text } from "../../../text/index.js";

/** `onMade(token)`: with its secret; `onUnheard()`: nobody knows whether it was made. */
export function NewToken({ onMade, onUnheard, onClose }) {
  const words = text.admin.tokens.form;
  const { scopes, scopeHints } = text.admin.tokens;
  const known = Object.keys(scopes);
  const create = async (_, values) => {
    let made;
    try {
      made = await post("/v1/tokens", values);
    } catch (problem) {
      if (problem.code !== "NO_ANSWER") throw problem;
      onUnheard();
      throw new Problem({ code: "MAYBE_MADE", detail: words.unheard });
    }
    onMade(made);
    onClose();
  };
  const form = useForm({ name: "", scopes: known }, create);
  const chosen = form.values.scopes;
  return html`<${Dialog} title=${words.title} onClose=${onClose} firm>
    <form class="form" onSubmit=${form.submit} noValidate>
      <${TextField} label=${words.name} hint=${words.nameHint} maxlength="100" autocomplete="off" ...${form.field("name")} />
      <${CheckList} label=${words.scopes} options=${known.map((scope) => ({ value: scope, label: scopes[scope], detail: scopeHints[scope] }))}
        errors=${form.errors("scopes")} chosen=${(scope) => chosen.includes(scope)}
        onToggle=${(scope) =>
          form.set(
            "scopes",
            known.filter((each) => chosen.includes(each) !== (each === scope)),
          )} />
      <${FormFoot} form=${form} fields=${{ name: words.name, scopes: words.scopes }} submit=${words.submit} onClose=${onClose} />
    </form>
  <//>`;
}
