/** One resource as the service that owns it says: read, then kept current by an event that tells all of it. */

import { signal } from "@preact/signals";
import { get } from "../core/api.js";
import { on } from "../core/stream.js";
import { newer } from "./order.js";

export class LiveResource {
  #stop = () => {};

  /** `path` to read; `event` of the stream that tells of it; `isIt(data)` whether that is this one; `first`: what is known already. */
  constructor({ path, event, isIt, first = null }) {
    this.path = path;
    this.event = event;
    this.isIt = isIt;
    /** The newest that is known, null before. */
    this.current = signal(first);
    this.problem = signal(null);
  }

  open() {
    this.#stop = on(this.event, (data) => this.isIt(data) && this.put(data));
  }

  close() {
    this.#stop();
  }

  async reload() {
    this.problem.value = null;
    try {
      this.put(await get(this.path));
    } catch (problem) {
      this.problem.value = problem;
    }
  }

  /** Keep it, as an answer has it, unless a newer one is known. */
  put(resource) {
    this.current.value = newer(this.current.peek(), resource);
  }
}
