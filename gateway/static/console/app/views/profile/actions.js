/** What is done with a whole contact: blocked, exported, erased. */

import { useState } from "preact/hooks";
import { Button } from "../../components/button.js";
import { Confirm, Dialog } from "../../components/dialog.js";
import { TextField } from "../../components/field.js";
import { get, patch, remove } from "../../core/api.js";
import { isAdmin } from "../../core/session.js";
import { complain, explain, say } from "../../core/toasts.js";
import { html } from "../../html.js";
import { forgetContact, putContact } from "../../store/contacts.js";
import { text } from "../../text/index.js";

export function Actions({ contact }) {
  const words = text.profile.actions;
  const [asking, setAsking] = useState(null);
  const [exporting, setExporting] = useState(false);
  const close = () => setAsking(null);
  const block = async () => {
    putContact(await patch(`/v1/contacts/${contact.id}`, { blocked: !contact.blocked }));
    say(contact.blocked ? words.unblockedNow : words.blockedNow);
  };
  const save = async () => {
    setExporting(true);
    try {
      const content = await get(`/v1/contacts/${contact.id}/export`);
      download(content, `contact-${contact.id}.json`);
      say(content.truncated ? words.exportPart : words.exported);
    } catch (problem) {
      complain(problem);
    } finally {
      setExporting(false);
    }
  };
  return html`<section class="profile-section profile-end" aria-label=${words.title}>
    <div class="profile-actions">
      <${Button} small onClick=${() => setAsking("block")}>${contact.blocked ? words.unblock : words.block}<//>
      ${
        isAdmin.value &&
        html`<${Button} small busy=${exporting} onClick=${save}>${words.export}<//>
        <${Button} small kind="danger" icon="trash" onClick=${() => setAsking("erase")}>${words.erase}<//>`
      }
    </div>
    ${
      asking === "block" &&
      html`<${Confirm} title=${contact.blocked ? words.unblockTitle(contact.name) : words.blockTitle(contact.name)}
      action=${contact.blocked ? words.unblock : words.block} kind=${contact.blocked ? "primary" : "danger"} onConfirm=${block} onClose=${close}>
      <p>${contact.blocked ? words.unblockLead : words.blockLead}</p>
    <//>`
    }
    ${asking === "erase" && html`<${Erase} contact=${contact} onClose=${close} />`}
  </section>`;
}

function Erase({ contact, onClose }) {
  const words = text.profile.actions;
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  const isMeant = typed.trim().toLowerCase() === words.eraseWord;
  const erase = async (event) => {
    event.preventDefault();
    if (!isMeant || busy) return;
    setBusy(true);
    try {
      await remove(`/v1/contacts/${contact.id}`);
      onClose();
      forgetContact(contact.id);
    } catch (failure) {
      setProblem(failure);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${words.eraseTitle(contact.name)} onClose=${onClose}>
    <form class="dialog-text" onSubmit=${erase}>
      <p>${words.eraseLead}</p>
      <${TextField} label=${words.eraseType(words.eraseWord)} value=${typed} onInput=${setTyped} autocomplete="off" autofocus errors=${problem ? [explain(problem)] : []} />
      <footer class="dialog-foot">
        <${Button} onClick=${onClose}>${text.actions.cancel}<//>
        <${Button} kind="danger" type="submit" busy=${busy} disabled=${!isMeant}>${words.eraseConfirm}<//>
      </footer>
    </form>
  <//>`;
}

function download(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 2)], { type: "application/json" }));
  link.download = name;
  link.click();
  // The browser reads it after this turn.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
