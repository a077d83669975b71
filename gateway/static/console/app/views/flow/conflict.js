/** Somebody else saved the flow while it was being changed here: theirs is looked at, taken, or overwritten. */

import { useState } from "preact/hooks";
import { Button } from "../../components/button.js";
import { Dialog } from "../../components/dialog.js";
import { Icon } from "../../components/icon.js";
import { Time } from "../../components/time.js";
import { say } from "../../core/toasts.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";
import { ReadOnlyFlow } from "./block_list.js";
import { whoOf } from "./versions.js";

/** Says so above the draft; nothing while nobody did. */
export function TheirsBanner({ desk }) {
  const words = text.flow.conflict;
  const theirs = desk.editor.theirs.value;
  if (theirs === null) return null;
  const open = () => {
    desk.dialog.value = { kind: "conflict" };
  };
  return html`<div class="flow-notice" role="status">
    <${Icon} name="warning" />
    <p>${sentence(theirs)}</p>
    <${Button} small onClick=${open}>${words.look}<//>
  </div>`;
}

export function ConflictDialog({ desk, onClose }) {
  const words = text.flow.conflict;
  const [looking, setLooking] = useState(false);
  const theirs = desk.editor.theirs.value;
  if (theirs === null) return null;
  const take = () => {
    onClose();
    desk.editing.value = null;
    desk.editor.takeTheirs();
    say(words.taken);
  };
  return html`<${Dialog} wide=${looking} title=${words.title} onClose=${onClose}>
    <div class="dialog-text">
      <p>${sentence(theirs)} ${theirs.created_at && html`<span class="soft"><${Time} at=${theirs.created_at} /></span>`}</p>
      <p>${words.lead}</p>
    </div>
    ${looking && html`<div class="flow-looked" tabindex="0" role="region" aria-label=${words.look}><${ReadOnlyFlow} flow=${theirs.flow} /></div>`}
    <footer class="dialog-foot">
      <${Button} onClick=${onClose}>${words.back}<//>
      ${theirs.flow !== null && !looking && html`<${Button} onClick=${() => setLooking(true)}>${words.look}<//>`}
      <${Button} onClick=${take}>${words.take}<//>
      <${Button} kind="danger" busy=${desk.editor.saving.value} onClick=${() => desk.save(theirs.version ?? 0)}>${words.overwrite}<//>
    </footer>
  <//>`;
}

function sentence(theirs) {
  const words = text.flow.conflict;
  return theirs.version === null ? words.bannerRemoved : words.banner(theirs.version, whoOf(theirs));
}
