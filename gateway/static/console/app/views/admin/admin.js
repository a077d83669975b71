/** The administrators' pages: which there are, and the one that the address names. */

import { useEffect, useRef } from "preact/hooks";
import { Empty } from "../../components/states.js";
import { isAdmin } from "../../core/session.js";
import { to } from "../../core/route.js";
import { html } from "../../html.js";
import { channels } from "../../store/people.js";
import { text } from "../../text/index.js";
import { FlowPage } from "../flow/flow.js";
import { AgentsPage } from "./agents.js";
import { ChannelPage } from "./channel.js";
import { ChannelsPage } from "./channels.js";
import { TeamsPage } from "./teams.js";
import { TokensPage } from "./tokens.js";
import { WebhookPage } from "./webhook.js";
import { WebhooksPage } from "./webhooks.js";

const PAGES = {
  agents: () => html`<${AgentsPage} />`,
  teams: () => html`<${TeamsPage} />`,
  channels: (id, part) => {
    if (id === undefined) return html`<${ChannelsPage} />`;
    if (part === "flow") return html`<${FlowPage} key=${id} channelId=${id} />`;
    return html`<${ChannelPage} key=${id} channelId=${id} />`;
  },
  tokens: () => html`<${TokensPage} />`,
  webhooks: (id) => (id === undefined ? html`<${WebhooksPage} />` : html`<${WebhookPage} key=${id} webhookId=${id} />`),
};

/** `path`: what follows `admin` in the address. */
export function Admin({ path: [page = "agents", id, part] }) {
  const words = text.shell.adminPages;
  const nav = useRef(null);
  // On a phone not all of them fit beside each other.
  useEffect(() => nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }), [page]);
  if (!isAdmin.value) return html`<${Empty} icon="key" title=${text.shell.adminsOnly} />`;
  return html`<div class="admin">
    <nav class="admin-nav" ref=${nav} aria-label=${text.shell.admin}>
      ${Object.keys(PAGES).map(
        (
          name,
        ) => html`<a key=${name} class="admin-link" href=${to(["admin", name])} aria-current=${name === page ? "page" : undefined}>
          ${words[name]}${name === "channels" && channels.loaded.value && html` <span class="soft">${channels.items.value.length}</span>`}
        </a>`,
      )}
    </nav>
    <div class="admin-page">${Object.hasOwn(PAGES, page) ? PAGES[page](id, part) : html`<${Empty} title=${text.shell.notFound} />`}</div>
  </div>`;
}
