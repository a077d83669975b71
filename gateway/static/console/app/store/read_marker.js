/** How far agents have read a conversation, told as this one reads on: forward only, and not at every message. */

import { post } from "../core/api.js";
import { pause } from "../core/pause.js";
import { Problem } from "../core/problem.js";
import { conversations, putConversation } from "./conversations.js";

const PAUSE = 1_000;
const AGAIN = 5_000;

export class ReadMarker {
  #seen = 0;
  #running = false;
  #closed = false;

  constructor(conversationId) {
    this.id = conversationId;
  }

  /** Everything up to this message has been looked at. */
  see(seq) {
    this.#seen = Math.max(this.#seen, seq);
    this.#run();
  }

  close() {
    this.#closed = true;
  }

  async #run() {
    if (this.#running) return;
    this.#running = true;
    while (!this.#closed && this.#isAhead) {
      await pause((await this.#tell(this.#seen)) ? PAUSE : AGAIN);
    }
    this.#running = false;
  }

  /** Read but not told yet. The bot's and agents' own messages alone are nobody's news. */
  get #isAhead() {
    const known = conversations.peek(this.id);
    return known !== undefined && known.unread_count > 0 && this.#seen > known.read_seq;
  }

  async #tell(seq) {
    try {
      putConversation(await post(`/v1/conversations/${this.id}/read`, { seq }));
      return true;
    } catch (problem) {
      if (!(problem instanceof Problem && problem.passing)) this.#closed = true;
      return false;
    }
  }
}
