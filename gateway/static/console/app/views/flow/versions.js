/** The flows that a channel has had: looked at, and taken up again. */

import { useMemo, useState, useEffect } from "preact/hooks";
import { Button } from "../../components/button.js";
import { Dialog } from "../../components/dialog.js";
import { EndOfList } from "../../components/end_of_list.js";
import { Empty, Loaded } from "../../components/states.js";
import { Time } from "../../components/time.js";
import { get } from "../../core/api.js";
import { useLoading } from "../../core/loading.js";
import { Pages } from "../../core/pages.js";
import { say } from "../../core/toasts.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";
import { ReadOnlyFlow } from "./block_list.js";

const SIZE = 20;

export function VersionsDialog({ desk, onClose }) {
  const words = text.flow.versionList;
  const [looked, setLooked] = useState(null);
  const take = (found) => {
    onClose();
    desk.editing.value = null;
    desk.editor.change(found.flow);
    say(words.taken(found.version));
  };
  return html`<${Dialog} wide title=${looked === null ? words.title : text.flow.version(looked)} onClose=${onClose}>
    ${
      looked === null
        ? html`<${VersionList} path=${desk.editor.path} onLook=${setLooked} />`
        : html`<${OneVersion} path=${desk.editor.path} version=${looked} onBack=${() => setLooked(null)} onTake=${take} />`
    }
  <//>`;
}

function VersionList({ path, onLook }) {
  const words = text.flow.versionList;
  const pages = useMemo(() => new Pages((cursor) => get(`${path}/versions`, { cursor, limit: SIZE })), [path]);
  useEffect(() => {
    pages.reload();
  }, [pages]);
  const items = pages.items.value;
  return html`
    <p class="soft">${words.lead}</p>
    ${items.length === 0 && pages.done.value && html`<${Empty} icon="history" title=${words.empty} />`}
    <ul class="flow-versions">
      ${items.map(
        (item) => html`<li key=${item.version} class="flow-version">
          <div>
            <p><strong>${text.flow.version(item.version)}</strong> ${item.active && html`<span class="pill pill-good">${words.active}</span>`}</p>
            <p class="soft"><${Time} at=${item.created_at} /> ${text.flow.by} <bdi>${whoOf(item)}</bdi> · ${words.blocks(item.block_count)}</p>
          </div>
          <${Button} small onClick=${() => onLook(item.version)}>
            <span aria-hidden="true">${words.look}</span><span class="visually-hidden">${words.lookAt(item.version)}</span>
          <//>
        </li>`,
      )}
    </ul>
    <${EndOfList} pages=${pages} />
  `;
}

function OneVersion({ path, version, onBack, onTake }) {
  const words = text.flow.versionList;
  const loading = useLoading(() => get(path, { version }), [path, version]);
  return html`
    <${Loaded} loading=${loading} lines=${6}>
      ${(found) => html`
        <p class="soft"><${Time} at=${found.created_at} /> ${text.flow.by} <bdi>${whoOf(found)}</bdi></p>
        <div class="flow-looked" tabindex="0" role="region" aria-label=${text.flow.version(version)}><${ReadOnlyFlow} flow=${found.flow} /></div>
      `}
    <//>
    <footer class="dialog-foot">
      <${Button} icon="back" onClick=${onBack}>${words.back}<//>
      <${Button} kind="primary" disabled=${loading.value.value === undefined} onClick=${() => onTake(loading.value.value)}>${words.take}<//>
    </footer>
  `;
}

/** Who saved a version. */
export function whoOf({ created_by }) {
  return created_by?.name ?? text.flow.versionList.unknown;
}
