/** Passwords: chosen or generated, and a generated one shown once when it is kept. */

import { Button } from "../../../components/button.js";
import { CopyBox } from "../../../components/copy_box.js";
import { Dialog } from "../../../components/dialog.js";
import { TextField } from "../../../components/field.js";
import { html } from "../../../html.js";
import { text } from "../../../text/index.js";

// Without what is mistaken for something else when it is read aloud or typed off.
const LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const LENGTH = 20; // 116 bits

export function PasswordField({ label, hint, value, errors, generated, onInput, onGenerate }) {
  const words = text.admin.agents.form;
  return html`<div class="password-field">
    <${TextField} label=${label} hint=${generated ? words.generated : hint} type=${generated ? "text" : "password"} autocomplete="new-password"
      spellcheck="false" value=${value} errors=${errors} onInput=${onInput} />
    <${Button} icon="key" onClick=${() => onGenerate(generate())}>${words.generate}<//>
  </div>`;
}

/** The window that shows what was generated. */
export function Password({ name, email, password, onClose }) {
  const words = text.admin.agents.password;
  return html`<${Dialog} title=${words.title(name)} onClose=${onClose} firm>
    <p class="dialog-text">${words.lead(name)}</p>
    <${CopyBox} label=${words.email} value=${email} />
    <${CopyBox} label=${words.label} value=${password} />
    <footer class="dialog-foot"><${Button} kind="primary" onClick=${onClose}>${text.admin.copied}<//></footer>
  <//>`;
}

function generate() {
  let password = "";
  // Bytes beyond the last whole multiple would make some letters likelier.
  const limit = 256 - (256 % LETTERS.length);
  while (password.length < LENGTH) {
    for (const byte of crypto.getRandomValues(new Uint8Array(LENGTH))) {
      if (byte < limit && password.length < LENGTH) password += LETTERS[byte % LETTERS.length];
    }
  }
  return password;
}
