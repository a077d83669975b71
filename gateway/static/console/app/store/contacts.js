/** Contacts' profiles, as fetched and as events tell of them; events leave out the pages in between. */

import { signal } from "@preact/signals";
import { get } from "../core/api.js";
import { Entities } from "./entities.js";

const MAX_PAGES = 50; // as many as the API keeps

export const contacts = new Entities();
const asked = new Map();

/** Ids of the contacts whose erasure was heard of: nothing that is still on its way brings them back. */
export const erased = signal(new Set());

/** Keep a contact; pages that were fetched stay with what an event tells, which knows the newest one. */
export function putContact(contact) {
  if (erased.peek().has(contact.id)) return;
  const pages = pagesOf(contacts.peek(contact.id)?.url, contact.url);
  contacts.put(pages === undefined ? contact : { ...contact, url: { ...contact.url, pages } });
}

/** What an event tells: of a contact that nobody has looked at, nothing is kept. */
export function tellContact(contact) {
  if (contacts.peek(contact.id) !== undefined || asked.has(contact.id)) putContact(contact);
}

/** Drop a contact that was erased. */
export function forgetContact(id) {
  erased.value = new Set(erased.peek()).add(id);
  contacts.drop(id);
}

/** Nobody's erasures are of interest any more. */
export function forgetErased() {
  erased.value = new Set();
}

/** The contact with all its pages, asked once at a time. Throws Problem; one that isn't there any more counts as erased. */
export function fetchContact(id) {
  if (!asked.has(id))
    asked.set(
      id,
      readContact(id).finally(() => asked.delete(id)),
    );
  return asked.get(id);
}

async function readContact(id) {
  try {
    const contact = await get(`/v1/contacts/${id}`);
    putContact(contact);
    return contact;
  } catch (problem) {
    if (problem.code === "CONTACT_NOT_FOUND") forgetContact(id);
    throw problem;
  }
}

function pagesOf(known, told) {
  if (!told || told.pages !== undefined) return told?.pages;
  if (known?.pages === undefined) return undefined;
  const isNew = Date.parse(told.last.at) > Date.parse(known.pages.at(-1).at);
  return isNew ? [...known.pages, told.last].slice(-MAX_PAGES) : known.pages;
}
