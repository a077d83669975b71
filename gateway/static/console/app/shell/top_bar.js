/** The bar at the top: the sections, and at its right the own status and account. */

import { useState } from "preact/hooks";
import { Button } from "../components/button.js";
import { Checkbox } from "../components/field.js";
import { Icon } from "../components/icon.js";
import { Popover } from "../components/menu.js";
import { Avatar, StatusDot } from "../components/person.js";
import { patch } from "../core/api.js";
import { notifications, setNotifications } from "../core/notify.js";
import { to } from "../core/route.js";
import { isAdmin, learnOwn, me, signOut } from "../core/session.js";
import { choose, theme } from "../core/theme.js";
import { complain } from "../core/toasts.js";
import { html } from "../html.js";
import { agents } from "../store/people.js";
import { text } from "../text/index.js";

const SECTIONS = [
  { name: "chats", icon: "chats", path: ["chats", "mine"] },
  { name: "queue", icon: "queue", path: ["queue"] },
  { name: "admin", icon: "admin", path: ["admin", "agents"], admins: true },
];

export function TopBar({ section }) {
  const words = text.shell;
  return html`<header class="top-bar">
    <p class="brand"><img src="/console/icon.svg" alt="" width="24" height="24" /><span>${text.product}</span></p>
    <nav class="sections" aria-label=${words.sections}>
      ${SECTIONS.filter(({ admins }) => !admins || isAdmin.value).map(
        ({
          name,
          icon,
          path,
        }) => html`<a key=${name} class="section-link" href=${to(path)} aria-current=${name === section ? "page" : undefined}>
          <${Icon} name=${icon} /><span>${words[name]}</span>
        </a>`,
      )}
    </nav>
    <${Account} />
  </header>`;
}

function Account() {
  const own = agents.get(me.value.id) ?? me.value;
  const button = (
    attributes,
  ) => html`<button type="button" class="account-button" aria-label=${`${text.shell.account}: ${own.name}, ${text.availability[own.availability]}`} ...${attributes}>
    <${Avatar} id=${own.id} name=${own.name} size="s" />
    <span class="account-name" dir="auto">${own.name}</span>
    <${StatusDot} agent=${{ ...own, connected: true }} />
    <span class="account-status">${text.availability[own.availability]}</span>
    <${Icon} name="down" size=${14} />
  </button>`;
  return html`<${Popover} label=${text.shell.account} button=${button}>${() => html`<${AccountMenu} own=${own} />`}<//>`;
}

function AccountMenu({ own }) {
  const words = text.shell;
  return html`<div class="account-menu">
    <p class="account-who"><strong dir="auto">${own.name}</strong><span class="soft">${own.email}</span><span class="soft">${text.roles[own.role]}</span></p>
    <${Status} own=${own} />
    <fieldset class="choices">
      <legend>${words.theme}</legend>
      ${["system", "light", "dark"].map(
        (name) =>
          html`<label key=${name} class="choice"><input type="radio" name="theme" value=${name} checked=${theme.value === name} onChange=${() => choose(name)} /><span>${words[name]}</span></label>`,
      )}
    </fieldset>
    <${Checkbox} label=${words.notifications} checked=${notifications.value === "on"} disabled=${notifications.value === "denied"}
      hint=${notifications.value === "denied" ? words.notificationsDenied : undefined} onInput=${setNotifications} />
    <${Button} onClick=${signOut}>${words.signOut}<//>
  </div>`;
}

function Status({ own }) {
  const [wanted, setWanted] = useState(null);
  const set = async (availability) => {
    setWanted(availability);
    try {
      const agent = await patch("/v1/agents/me", { availability });
      agents.put(agent);
      learnOwn(agent);
    } catch (problem) {
      complain(problem);
    } finally {
      setWanted(null);
    }
  };
  return html`<fieldset class="choices" aria-busy=${wanted !== null}>
    <legend>${text.shell.status}</legend>
    ${["available", "busy"].map(
      (name) => html`<label key=${name} class="choice">
        <input type="radio" name="availability" value=${name} checked=${(wanted ?? own.availability) === name} onChange=${() => set(name)} />
        <${StatusDot} agent=${{ availability: name, connected: true }} /><span>${text.availability[name]}</span>
      </label>`,
    )}
  </fieldset>`;
}
