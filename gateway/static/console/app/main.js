/** The console: signed in or not, the shell around the sections, and the section that the address names. */

import { render } from "preact";
import { useEffect } from "preact/hooks";
import { Boundary, Empty } from "./components/states.js";
import { go, route, to } from "./core/route.js";
import { me, signedIn } from "./core/session.js";
import "./core/theme.js";
import { html } from "./html.js";
import { ConnectionBar } from "./shell/connection_bar.js";
import { SignIn } from "./shell/sign_in.js";
import { Toasts } from "./shell/toasts.js";
import { TopBar } from "./shell/top_bar.js";
import { begin, end } from "./store/live.js";
import { text } from "./text/index.js";
import { Admin } from "./views/admin/admin.js";
import { Chats } from "./views/chats/chats.js";
import { QueuePage } from "./views/queue/queue.js";

const SECTIONS = { chats: Chats, queue: QueuePage, admin: Admin };

function Console() {
  useEffect(() => {
    begin();
    return end;
  }, []);
  const { path, query } = route.value;
  const [name, ...rest] = path;
  useEffect(() => {
    if (name === undefined) go(["chats", "mine"], {}, { replace: true });
  }, [name]);
  const Section = Object.hasOwn(SECTIONS, name ?? "") ? SECTIONS[name] : undefined;
  return html`<div class="shell">
    <a class="skip" href="#content" onClick=${skip}>${text.shell.skip}</a>
    <${TopBar} section=${name} />
    <${ConnectionBar} />
    <main class="content" id="content" tabindex="-1">
      <h1 class="visually-hidden">${text.shell[name] ?? text.product}</h1>
      <${Boundary} key=${name}>
        ${Section ? html`<${Section} path=${rest} query=${query} />` : name !== undefined && html`<${NotFound} />`}
      <//>
    </main>
  </div>`;
}

function NotFound() {
  return html`<${Empty} title=${text.shell.notFound}><a href=${to(["chats", "mine"])}>${text.shell.toChats}</a><//>`;
}

// The address behind the # is the page's: a link into the page can't be followed by it.
function skip(event) {
  event.preventDefault();
  document.querySelector("#content").focus();
}

function App() {
  return html`<${Boundary}>
    ${signedIn.value ? html`<${Console} key=${me.value.id} />` : html`<${SignIn} />`}
    <${Toasts} />
  <//>`;
}

render(html`<${App} />`, document.querySelector("#app"));
