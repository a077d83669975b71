/** Admin: the API tokens of integrations. */

import { useState } from "preact/hooks";
import { Button } from "../../components/button.js";
import { CopyBox } from "../../components/copy_box.js";
import { Confirm, Dialog } from "../../components/dialog.js";
import { PageHead } from "../../components/page_head.js";
import { Empty, Loaded } from "../../components/states.js";
import { Table } from "../../components/table.js";
import { Time } from "../../components/time.js";
import { get, remove } from "../../core/api.js";
import { useFresh, useRepeated } from "../../core/fresh.js";
import { say } from "../../core/toasts.js";
import { html } from "../../html.js";
import { epoch } from "../../store/live.js";
import { text } from "../../text/index.js";
import { NewToken } from "./token/form.js";

// Tokens have no events: another admin's, and when one was used, are looked for.
const LOOKED_FOR = 30_000;

export function TokensPage() {
  const words = text.admin.tokens;
  const loading = useFresh(async () => (await get("/v1/tokens")).items, [], [epoch.value]);
  useRepeated(() => loading.reload(), LOOKED_FOR);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState(null);
  const [revoking, setRevoking] = useState(null);
  const keep = (change) => {
    loading.value.value = change(loading.value.peek() ?? []);
    loading.reload();
  };
  const onMade = (token) => {
    setMade(token);
    keep((items) => [...items.filter(({ id }) => id !== token.id), token]);
  };
  return html`<section class="admin-section">
    <${PageHead} title=${words.title} lead=${words.lead}
      actions=${html`<${Button} kind="primary" icon="plus" onClick=${() => setMaking(true)}>${words.add}<//>`} />
    <${Loaded} loading=${loading}>${(items) => html`<${List} items=${items} onRevoke=${setRevoking} />`}<//>
    ${making && html`<${NewToken} onMade=${onMade} onUnheard=${() => loading.reload()} onClose=${() => setMaking(false)} />`}
    ${made !== null && !making && html`<${Made} token=${made} onClose=${() => setMade(null)} />`}
    ${revoking !== null && html`<${Revocation} token=${revoking} onRevoked=${() => keep((items) => items.filter(({ id }) => id !== revoking.id))} onClose=${() => setRevoking(null)} />`}
  </section>`;
}

function List({ items, onRevoke }) {
  const words = text.admin.tokens;
  if (items.length === 0) return html`<${Empty} icon="key" title=${words.empty.title}>${words.empty.lead}<//>`;
  return html`<${Table} label=${words.label} items=${items}
    columns=${[
      { id: "name", label: words.columns.name, head: true, cell: ({ name }) => html`<bdi>${name}</bdi>` },
      {
        id: "scopes",
        label: words.columns.scopes,
        cell: ({ scopes }) =>
          html`<span class="admin-chips">${scopes.map((scope) => html`<span key=${scope} class="pill">${words.scopes[scope] ?? scope}</span>`)}</span>`,
      },
      { id: "created", label: words.columns.created, cell: ({ created_at: at }) => html`<${Time} at=${at} />` },
      {
        id: "used",
        label: words.columns.used,
        cell: ({ last_used_at: at }) => (at ? html`<${Time} at=${at} />` : html`<span class="soft">${words.never}</span>`),
      },
      {
        id: "actions",
        label: text.admin.actions,
        quiet: true,
        end: true,
        cell: (token) => html`<div class="row-actions">
          <${Button} kind="quiet" small aria-label=${words.revokeOf(token.name)} onClick=${() => onRevoke(token)}>${words.revoke}<//>
        </div>`,
      },
    ]} />`;
}

function Made({ token, onClose }) {
  const words = text.admin.tokens.made;
  return html`<${Dialog} title=${words.title(token.name)} onClose=${onClose} firm>
    <p class="dialog-text">${words.lead}</p>
    <${CopyBox} label=${words.label} value=${token.token} />
    <footer class="dialog-foot"><${Button} kind="primary" onClick=${onClose}>${text.admin.copied}<//></footer>
  <//>`;
}

function Revocation({ token, onRevoked, onClose }) {
  const words = text.admin.tokens.revocation;
  const confirm = async () => {
    try {
      await remove(`/v1/tokens/${token.id}`);
    } catch (problem) {
      if (problem.code !== "TOKEN_NOT_FOUND") throw problem;
    }
    onRevoked();
    say(words.done(token.name));
  };
  return html`<${Confirm} title=${words.title(token.name)} action=${text.admin.tokens.revoke} onConfirm=${confirm} onClose=${onClose}>
    <p>${words.lead}</p>
    <p class="soft">${words.used} ${token.last_used_at ? html`<${Time} at=${token.last_used_at} />` : text.admin.tokens.never}</p>
  <//>`;
}
