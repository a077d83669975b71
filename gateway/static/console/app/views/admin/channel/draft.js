/**
 * A channel's settings while they are being changed.
 *
 * What somebody else changes meanwhile is taken over where nothing was typed, and told where something was.
 */

import { computed, signal } from "@preact/signals";
import { tidyOrigins } from "./origins.js";

export const SECRETS = ["page_access_token", "app_secret", "verify_token"];
const SECONDS = ["disconnected_after_seconds", "unanswered_after_seconds"];
const MESSENGER = ["page_id", ...SECRETS, "human_agent_tag"];

export class ChannelDraft {
  constructor(channel) {
    const form = formOf(channel);
    this.kept = signal(form);
    this.values = signal(form);
    /** Names of what was typed here and changed elsewhere since. */
    this.conflicts = signal([]);
    this.errors = signal({});
    this.changed = computed(() =>
      Object.keys(this.kept.value).filter((field) => !same(this.kept.value[field], this.values.value[field])),
    );
    this.dirty = computed(() => this.changed.value.length > 0);
  }

  set(field, value) {
    this.values.value = { ...this.values.peek(), [field]: value };
    this.conflicts.value = this.conflicts.peek().filter((each) => this.changed.peek().includes(each));
    const stays = ([path]) => !path.split(".").includes(field);
    this.errors.value = Object.fromEntries(Object.entries(this.errors.peek()).filter(stays));
  }

  /** The channel as it is now; `sent`: the values that this is the answer to. */
  take(channel, sent = null) {
    const [form, kept, values] = [formOf(channel), this.kept.peek(), this.values.peek()];
    const settled = (field) => same(values[field], kept[field]) || (sent !== null && same(values[field], sent[field]));
    const fields = Object.keys(form);
    const theirs = sent === null ? fields.filter((field) => !settled(field) && !same(form[field], kept[field])) : [];
    this.kept.value = form;
    this.values.value = Object.fromEntries(fields.map((field) => [field, settled(field) ? form[field] : values[field]]));
    const conflicts = sent === null ? new Set([...this.conflicts.peek(), ...theirs]) : [];
    this.conflicts.value = [...conflicts].filter((field) => this.changed.peek().includes(field));
  }

  /** Back to what is saved. */
  discard() {
    this.values.value = this.kept.peek();
    this.conflicts.value = [];
    this.errors.value = {};
  }

  /** Tidies what is to be sent; answers the values and the PATCH body of those that changed. */
  prepare() {
    this.set("allowed_origins", tidyOrigins(this.values.peek().allowed_origins));
    const values = this.values.peek();
    const body = {};
    for (const field of this.changed.peek()) {
      const value = bodyOf(field, values[field]);
      if (SECONDS.includes(field)) body.reassignment = { ...body.reassignment, [field]: value };
      else if (MESSENGER.includes(field)) body.messenger = { ...body.messenger, [field]: value };
      else body[field] = value;
    }
    return { values, body };
  }
}

function formOf({ name, allowed_origins, business_hours, reassignment, messenger }) {
  const form = { name, allowed_origins, business_hours };
  for (const field of SECONDS) form[field] = reassignment[field] === null ? "" : String(reassignment[field]);
  if (messenger !== null) {
    form.page_id = messenger.page_id ?? "";
    // Never shown, so empty stands for the one that is kept, and null for none.
    for (const secret of SECRETS) form[secret] = "";
    form.human_agent_tag = messenger.human_agent_tag;
  }
  return form;
}

function bodyOf(field, value) {
  if (SECONDS.includes(field)) return value.trim() === "" ? null : Number(value);
  if (field === "page_id") return value.trim() || null;
  if (SECRETS.includes(field)) return value === null ? null : value.trim();
  return value;
}

function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
