/** What can be done with a whole conversation, one thing at a time, and what is said of it. */

import { useMemo } from "preact/hooks";
import { signal } from "@preact/signals";
import { get, patch, post, put } from "../../core/api.js";
import { go } from "../../core/route.js";
import { me } from "../../core/session.js";
import { complain, say } from "../../core/toasts.js";
import { conversations, fetchConversation, onConversation, putConversation } from "../../store/conversations.js";
import { text } from "../../text/index.js";
import { refusal } from "../refusal.js";

const PATIENCE = 2_000; // milliseconds; events take some 50

class Actions {
  constructor(conversationId) {
    this.id = conversationId;
    /** The name of what is under way, or null. */
    this.busy = signal(null);
    /** Whether the contact has another open conversation, so that this one stays archived. */
    this.isOpenElsewhere = signal(false);
  }

  /** Have it oneself. */
  take() {
    return this.#do("take", async () => {
      const known = conversations.peek(this.id);
      await put(`${this.#path}/assignee`, { agent_id: me.peek().id, expected_assignee_id: known.assignee?.id ?? null });
      await this.#told((conversation) => conversation.assignee?.id === me.peek()?.id);
      say(text.thread.actions.taken);
    });
  }

  returnToBot() {
    return this.#do("toBot", async () => {
      putConversation(await post(`${this.#path}/return-to-bot`));
      say(text.thread.actions.returned);
    });
  }

  archive() {
    return this.#do("archive", async () => {
      putConversation(await patch(this.#path, { status: "archived" }));
      say(text.thread.actions.archived);
    });
  }

  reopen() {
    return this.#do("reopen", async () => {
      putConversation(await patch(this.#path, { status: "open" }));
      this.isOpenElsewhere.value = false;
      say(text.thread.actions.reopened);
    });
  }

  /** Go to the contact's open conversation. */
  goElsewhere() {
    return this.#do("goElsewhere", async () => {
      const { contact } = conversations.peek(this.id);
      const { items } = await get("/v1/conversations", { contact_id: contact.id, folder: "all", limit: 1 });
      if (items.length > 0) go(["chats", "all", items[0].id]);
      else this.isOpenElsewhere.value = false;
    });
  }

  get #path() {
    return `/v1/conversations/${this.id}`;
  }

  /** Whether it was done. */
  async #do(name, work) {
    if (this.busy.peek() !== null) return false;
    this.busy.value = name;
    try {
      await work();
      return true;
    } catch (problem) {
      this.#complain(problem);
      return false;
    } finally {
      this.busy.value = null;
    }
  }

  #complain(problem) {
    complain(text.thread.actions.problems[problem.code] ?? refusal(problem));
    this.isOpenElsewhere.value ||= problem.code === "CONVERSATION_OPEN_ELSEWHERE";
    // Whatever was refused, what is shown here may be old.
    if (problem.status === 409) fetchConversation(this.id).catch(() => {});
  }

  /** Return once the conversation says what another service has decided; asked for if no event tells. */
  async #told(isSo) {
    const { promise, resolve } = Promise.withResolvers();
    const stop = onConversation((conversation) => conversation.id === this.id && isSo(conversation) && resolve());
    const timer = setTimeout(() => fetchConversation(this.id).then(resolve, resolve), PATIENCE);
    if (isSo(conversations.peek(this.id))) resolve();
    await promise;
    clearTimeout(timer);
    stop();
  }
}

/** The Actions of a conversation, for a component. */
export function useActions(conversationId) {
  return useMemo(() => new Actions(conversationId), [conversationId]);
}
