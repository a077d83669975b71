/** The pages that the visitor looked at: the current one, the first one, where they came from; all of them on demand. */

import { useState } from "preact/hooks";
import { Button } from "../../components/button.js";
import { Time } from "../../components/time.js";
import { number } from "../../core/format.js";
import { safe } from "../../core/links.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";
import { Row } from "./rows.js";

export function PageVisits({ url }) {
  const words = text.profile.pages;
  const [open, setOpen] = useState(false);
  if (url === null) {
    return html`<section class="profile-section"><h3>${words.title}</h3><p class="soft">${words.none}</p></section>`;
  }
  const { first, last, pages = [] } = url;
  const referrer = first.referrer ?? last.referrer;
  const isOther = first.url !== last.url || first.at !== last.at;
  return html`<section class="profile-section">
    <h3>${words.title}</h3>
    <dl class="rows">
      <${Row} label=${words.current} copied=${last.url}><${PageVisit} page=${last} /><//>
      ${isOther && html`<${Row} label=${words.first}><${PageVisit} page=${first} /><//>`}
      <${Row} label=${words.referrer}>${referrer && html`<${Address} url=${referrer} />`}<//>
      <${Row} label=${words.campaign}>${campaignWords(last.campaign ?? first.campaign)}<//>
    </dl>
    ${
      pages.length > 1 &&
      html`<${Button} small kind="quiet" icon=${open ? "up" : "down"} aria-expanded=${String(open)} onClick=${() => setOpen(!open)}>
      ${open ? words.hide : words.show(pages.length, number(pages.length))}
    <//>`
    }
    ${
      open &&
      html`<ol class="page-list" aria-label=${words.list}>
      ${pages.toReversed().map((page, index) => html`<li key=${pages.length - index}><${PageVisit} page=${page} /></li>`)}
    </ol>`
    }
  </section>`;
}

function PageVisit({ page }) {
  return html`<span class="page-visit">
    ${page.title && html`<span class="page-title" dir="auto">${page.title}</span>`}
    ${page.url ? html`<${Address} url=${page.url} />` : html`<span class="soft">${text.profile.pages.noAddress}</span>`}
    <span class="soft page-time"><${Time} at=${page.at} /></span>
  </span>`;
}

/** An address that may be followed, or only read. */
function Address({ url }) {
  const href = safe(url);
  return href
    ? html`<a class="address" title=${url} href=${href} target="_blank" rel="noopener noreferrer nofollow" dir="ltr">${url}</a>`
    : html`<span class="address" title=${url} dir="ltr">${url}</span>`;
}

function campaignWords(campaign) {
  if (!campaign) return null;
  const parts = text.profile.pages.campaignParts;
  return Object.keys(parts)
    .filter((name) => campaign[name])
    .map(
      (name) =>
        html`<span key=${name} class="campaign-part"><span class="soft">${parts[name]}:</span> <bdi>${campaign[name]}</bdi></span>`,
    );
}
