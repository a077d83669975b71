/** Deleting a channel: its name is typed to confirm, and what refuses it is said. */

import { useState } from "preact/hooks";
import { Button } from "../../../components/button.js";
import { Dialog } from "../../../components/dialog.js";
import { TextField } from "../../../components/field.js";
import { remove } from "../../../core/api.js";
import { number } from "../../../core/format.js";
import { go, to } from "../../../core/route.js";
import { explain, say } from "../../../core/toasts.js";
import { html } from "../../../html.js";
import { channels } from "../../../store/people.js";
import { text } from "../../../text/index.js";

export function Removal({ channel }) {
  const words = text.channels.removal;
  const [open, setOpen] = useState(false);
  return html`<section class="channel-card channel-card-danger">
    <h3>${words.title}</h3>
    <p class="soft">${words.lead}</p>
    <div><${Button} kind="danger" icon="trash" onClick=${() => setOpen(true)}>${words.start}<//></div>
    ${open && html`<${Question} channel=${channel} onClose=${() => setOpen(false)} />`}
  </section>`;
}

function Question({ channel, onClose }) {
  const words = text.channels.removal;
  const [typed, setTyped] = useState("");
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await remove(`/v1/channels/${channel.id}`);
      say(words.done);
      go(["admin", "channels"]);
      channels.drop(channel.id);
    } catch (caught) {
      setProblem(caught);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${words.question(channel.name)} onClose=${onClose}>
    <form class="form" onSubmit=${submit}>
      <p>${words.warning(channel.visitor_count, number(channel.visitor_count))}</p>
      <${TextField} label=${words.confirm} hint=${channel.name} value=${typed} onInput=${setTyped} autocomplete="off" />
      ${
        problem &&
        html`<div role="alert">
        <p class="form-problem">${explain(problem)}</p>
        ${problem.code === "CHANNEL_IN_USE" && html`<a href=${to(["chats", "all"], { channel: channel.id })}>${words.inUse}</a>`}
      </div>`
      }
      <footer class="dialog-foot">
        <${Button} onClick=${onClose}>${text.actions.cancel}<//>
        <${Button} kind="danger" type="submit" busy=${busy} disabled=${typed.trim() !== channel.name.trim()}>${words.submit}<//>
      </footer>
    </form>
  <//>`;
}
