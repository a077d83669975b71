/** The way in. */

import { useState } from "preact/hooks";
import { Button } from "../components/button.js";
import { TextField } from "../components/field.js";
import { over, signIn } from "../core/session.js";
import { explain } from "../core/toasts.js";
import { html } from "../html.js";
import { text } from "../text/index.js";

export function SignIn() {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  const words = text.signIn;
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await signIn(email.trim(), password);
    } catch (failure) {
      setProblem(failure);
      setBusy(false);
    }
  };
  return html`<main class="sign-in">
    <form class="sign-in-card" onSubmit=${submit}>
      <p class="brand"><img src="/console/icon.svg" alt="" width="28" height="28" />${text.product}</p>
      <h1>${words.title}</h1>
      <p class="soft" role=${over.value ? "status" : undefined}>${over.value ? words.over : words.lead}</p>
      <${TextField} label=${words.email} type="email" name="email" autocomplete="username" required value=${email} onInput=${setEmail} autofocus />
      <${TextField} label=${words.password} type="password" name="password" autocomplete="current-password" required value=${password} onInput=${setPassword} />
      ${problem && html`<p class="form-problem" role="alert">${explain(problem)}</p>`}
      <${Button} kind="primary" type="submit" busy=${busy}>${busy ? words.busy : words.submit}<//>
    </form>
  </main>`;
}
