/** What the visits told: when, from where, with what. */

import { Time } from "../../components/time.js";
import { clock, day, flag, language, now } from "../../core/format.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";
import { Row } from "./rows.js";

export function Visit({ contact }) {
  const words = text.profile.visit;
  const { country } = contact;
  return html`<section class="profile-section">
    <h3>${words.title}</h3>
    <dl class="rows">
      <${Row} label=${words.since}><${Time} at=${contact.since} form=${dayAndTime} /><//>
      <${Row} label=${words.lastSeen}><${Time} at=${contact.last_seen_at} form=${dayAndTime} /><//>
      <${Row} label=${words.country}>${country && html`<span class="flag" aria-hidden="true">${flag(country.code)}</span> ${country.name}`}<//>
      <${Row} label=${words.ip} copied=${contact.ip}>${contact.ip}<//>
      <${Row} label=${words.locale} hint=${languageName(contact.locale)}>${contact.locale}<//>
      <${Row} label=${words.timeZone} hint=${localTime(contact.time_zone, now.value)}>${contact.time_zone}<//>
      <${Row} label=${words.browser}>${contact.browser}<//>
      <${Row} label=${words.platform}>${contact.platform}<//>
    </dl>
  </section>`;
}

function dayAndTime(time) {
  return `${day(time)} ${clock(time)}`;
}

// Both are whatever a visitor's browser said.
function languageName(locale) {
  try {
    const name = new Intl.DisplayNames(language, { type: "language" }).of(locale);
    return name === locale ? null : name;
  } catch {
    return null;
  }
}

function localTime(timeZone, time) {
  try {
    const format = new Intl.DateTimeFormat(language, {
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
      timeZone: timeZone ?? "",
    });
    return text.profile.visit.localTime(format.format(time));
  } catch {
    return null;
  }
}
