/** One note: read, changed in place by whoever wrote it, deleted by them or an admin. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Button, IconButton } from "../../components/button.js";
import { Confirm } from "../../components/dialog.js";
import { TextArea } from "../../components/field.js";
import { Icon } from "../../components/icon.js";
import { Time } from "../../components/time.js";
import { Words } from "../../components/words.js";
import { patch, remove } from "../../core/api.js";
import { useForm } from "../../core/form.js";
import { isAdmin, ownId } from "../../core/session.js";
import { complain } from "../../core/toasts.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";
import { onEscape } from "./keys.js";

export function Note({ note, notes }) {
  const words = text.profile.note;
  const [doing, setDoing] = useState(null);
  const frame = useRef(null);
  const wasEditing = useRef(false);
  const editing = doing === "edit";
  const end = () => setDoing(null);
  useLayoutEffect(() => {
    if (wasEditing.current && !editing) frame.current?.querySelector(".note-edit")?.focus();
    wasEditing.current = editing;
  }, [editing]);
  const drop = async () => {
    await remove(`/v1/notes/${note.id}`);
    notes.drop(note.id);
  };
  const author = note.author.name ?? text.authors[note.author.kind];
  return html`<li class=${`note ${note.highlighted ? "note-highlighted" : ""}`} ref=${frame}>
    <article aria-label=${words.by(author)}>
      <header class="note-head">
        <p class="note-meta">
          <strong dir="auto">${author}</strong> <${Time} at=${note.created_at} />
          ${note.updated_at !== note.created_at && html` <span>(${words.edited})</span>`}
        </p>
        <${Tools} ...${{ note, notes, editing }} onDo=${setDoing} />
      </header>
      ${editing ? html`<${Editor} ...${{ note, notes }} onClose=${end} />` : html`<p class="note-text"><${Words}>${note.text}<//></p>`}
    </article>
    ${doing === "delete" && html`<${Confirm} title=${words.removeTitle} onConfirm=${drop} onClose=${end}><p class="note-text"><${Words}>${note.text}<//></p><//>`}
  </li>`;
}

/** What may be done with it: its author anything, an admin may delete. */
function Tools({ note, notes, editing, onDo }) {
  const words = text.profile.note;
  const [busy, setBusy] = useState(false);
  const own = note.author.kind === "agent" && note.author.id === ownId.value;
  const toggle = async () => {
    if (busy) return;
    setBusy(true);
    try {
      notes.put(await patch(`/v1/notes/${note.id}`, { highlighted: !note.highlighted }));
    } catch (problem) {
      complain(problem);
    } finally {
      setBusy(false);
    }
  };
  return html`
    ${
      own &&
      html`<button type="button" class="icon-button star" aria-pressed=${String(note.highlighted)} aria-busy=${busy || undefined}
      aria-label=${words.highlighted} title=${note.highlighted ? words.undoHighlight : words.doHighlight} onClick=${toggle}>
      <${Icon} name="star" size=${16} />
    </button>`
    }
    ${own && !editing && html`<${IconButton} class="note-edit" icon="edit" size=${16} label=${words.edit} onClick=${() => onDo("edit")} />`}
    ${(own || isAdmin.value) && html`<${IconButton} icon="trash" size=${16} label=${words.remove} onClick=${() => onDo("delete")} />`}
  `;
}

function Editor({ note, notes, onClose }) {
  const words = text.profile.note;
  const input = useRef(null);
  useLayoutEffect(() => input.current.focus(), []);
  const save = async (changes) => {
    if (changes.text !== undefined) notes.put(await patch(`/v1/notes/${note.id}`, changes));
    onClose();
  };
  const form = useForm({ text: note.text }, save);
  return html`<form class="note-editor" onSubmit=${form.submit} onKeyDown=${onEscape(onClose)}>
    <${TextArea} label=${words.text} hideLabel inputRef=${input} ...${form.sole("text")} />
    ${form.conflicts.length > 0 && html`<p class="form-conflict" role="status">${text.changedMeanwhile(words.text)}</p>`}
    <div class="row-form-actions">
      <${Button} small kind="primary" type="submit" busy=${form.busy} disabled=${form.values.text.trim() === ""}>${text.actions.save}<//>
      <${Button} small onClick=${onClose}>${text.actions.cancel}<//>
    </div>
  </form>`;
}
