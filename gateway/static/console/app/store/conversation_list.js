/** A folder's conversations, last active first: read page by page, kept in order by events. */

import { signal } from "@preact/signals";
import { get } from "../core/api.js";
import { backoff } from "../core/pause.js";
import { me } from "../core/session.js";
import { conversations, lastActive, onConversation, putConversation } from "./conversations.js";
import { compare } from "./order.js";

const FIRST_PAGE = 50;
const PAGE = 100;
const LOOK_AGAIN = 3_000; // milliseconds
const AGAIN = { shortest: 5_000, longest: 60_000 };

/** Which conversations each folder holds. */
const FOLDERS = {
  unassigned: (conversation) => conversation.status === "open" && conversation.assignee === null,
  assigned: (conversation) => conversation.status === "open" && conversation.assignee !== null,
  mine: (conversation) => conversation.status === "open" && conversation.assignee?.id === me.peek()?.id,
  all: (conversation) => conversation.status === "open",
  archived: (conversation) => conversation.status === "archived",
};

export class ConversationList {
  #cursor = null;
  #reach = null; // the oldest that was read, as it was then: what is older comes with its page
  #fresh = false;
  #turn = 0;
  #failures = 0;
  #putting = false;
  #told = new Set(); // what events told of while a page was on its way
  #matching = new Set(); // what the server found for `q`
  #look = null;
  #stop;

  /** `filter`: `{folder, channel_id, agent_id, q}`. `close` when it is no longer shown. */
  constructor(filter) {
    this.filter = filter;
    this.ids = signal([]);
    this.loading = signal(false);
    this.problem = signal(null);
    this.done = signal(false);
    this.loaded = signal(false);
    this.#stop = onConversation((conversation) => this.#putting || this.#place(conversation));
  }

  close() {
    this.#turn += 1;
    clearTimeout(this.#look);
    this.#stop();
  }

  /** From the beginning; what is shown stays until the first page is there. */
  async reload() {
    this.#fresh = false;
    await this.#read();
  }

  /** The next page, unless one is on its way or there is none; after a failure the same once more. */
  async more() {
    if (this.loading.peek() || (this.#fresh && this.done.peek())) return;
    await this.#read();
  }

  async #read() {
    const turn = ++this.#turn;
    const anew = !this.#fresh;
    this.#told.clear();
    this.loading.value = true;
    this.problem.value = null;
    try {
      const page = await this.#fetch(anew ? null : this.#cursor, anew ? FIRST_PAGE : PAGE);
      if (turn !== this.#turn) return;
      const last = page.items.at(-1);
      this.#cursor = page.next_cursor ?? null;
      this.#reach = last === undefined ? this.#reach : { id: last.id, at: lastActive(last) };
      this.done.value = this.#cursor === null;
      this.#merge(anew ? [] : this.ids.peek(), page.items);
      this.#fresh = true;
      this.#failures = 0;
      this.loaded.value = true;
    } catch (problem) {
      if (turn === this.#turn) this.#fail(problem);
    } finally {
      if (turn === this.#turn) this.loading.value = false;
    }
  }

  /** What is shown may be out of date after a reload that failed, so that is tried again. */
  #fail(problem) {
    this.problem.value = problem;
    if (this.#fresh || !problem.passing) return;
    const turn = this.#turn;
    this.#failures += 1;
    setTimeout(() => turn === this.#turn && this.#read(), backoff(this.#failures, { ...AGAIN, retryAfter: problem.retryAfter }));
  }

  #fetch(cursor, limit) {
    return get("/v1/conversations", { ...this.filter, cursor, limit });
  }

  #merge(kept, items) {
    this.#putting = true;
    for (const item of items) {
      putConversation(item);
      this.#matching.add(item.id);
    }
    this.#putting = false;
    const found = new Set([...kept, ...items.map((item) => item.id), ...this.#told]);
    this.ids.value = [...found]
      .map((id) => conversations.peek(id))
      .filter((conversation) => conversation !== undefined && this.#holds(conversation) && this.#reaches(conversation))
      .map(position)
      .sort(latestFirst)
      .map(({ id }) => id);
  }

  /** Where a conversation belongs after a change: into the list, elsewhere in it, or out of it. */
  #place(conversation) {
    if (this.loading.peek()) this.#told.add(conversation.id);
    const ids = this.ids.peek();
    const at = ids.indexOf(conversation.id);
    if (!this.#holds(conversation)) {
      if (at !== -1) this.ids.value = ids.toSpliced(at, 1);
      return;
    }
    if (at === -1 && !this.#reaches(conversation)) return;
    const others = at === -1 ? ids : ids.toSpliced(at, 1);
    const place = placeAmong(others, conversation);
    if (at !== place) this.ids.value = others.toSpliced(place, 0, conversation.id);
  }

  #holds(conversation) {
    const { folder, channel_id, agent_id, q } = this.filter;
    return (
      FOLDERS[folder](conversation) &&
      (!channel_id || conversation.channel.id === channel_id) &&
      (!agent_id || conversation.assignee?.id === agent_id) &&
      (!q || this.#matches(conversation, q))
    );
  }

  /** The server searches whole transcripts; here only what is shown can be, so it is asked about the others. */
  #matches({ id, contact, last_message }, q) {
    const shown = `${contact.name}\n${last_message?.preview ?? ""}`.toLowerCase();
    if (this.#matching.has(id) || shown.includes(q.trim().toLowerCase())) return true;
    this.#look ??= setTimeout(() => this.#lookAgain(), LOOK_AGAIN);
    return false;
  }

  async #lookAgain() {
    const turn = this.#turn;
    try {
      const page = await this.#fetch(null, FIRST_PAGE);
      if (turn === this.#turn) this.#merge(this.ids.peek(), page.items);
    } catch {
      // What comes next asks again.
    } finally {
      this.#look = null;
    }
  }

  #reaches(conversation) {
    return this.done.peek() || (this.#reach !== null && latestFirst(position(conversation), this.#reach) <= 0);
  }
}

function placeAmong(ids, conversation) {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = conversations.peek(ids[middle]);
    if (other !== undefined && latestFirst(position(other), position(conversation)) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function position(conversation) {
  return { id: conversation.id, at: lastActive(conversation) };
}

function latestFirst(one, other) {
  return compare(other.at, one.at) || compare(other.id, one.id);
}
