/** What is loaded from the API for a view: its value, that it is on its way, or why not. */

import { signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";

/**
 * Loads by `load()`, again at `reload()`; of several under way the last one counts.
 * `value` (signal, undefined before the first), `problem` (signal, null), `loading` (signal).
 */
export class Loading {
  #turn = 0;

  constructor(load) {
    this.load = load;
    this.value = signal(undefined);
    this.problem = signal(null);
    this.loading = signal(false);
  }

  async reload() {
    const turn = ++this.#turn;
    this.loading.value = true;
    this.problem.value = null;
    try {
      const value = await this.load();
      if (turn === this.#turn) this.value.value = value;
    } catch (problem) {
      if (turn === this.#turn) this.problem.value = problem;
    } finally {
      if (turn === this.#turn) this.loading.value = false;
    }
  }

  /** Nobody is interested any more in what is under way. */
  drop() {
    this.#turn += 1;
  }
}

/** A Loading for a component, loaded anew when one of `inputs` changes. */
export function useLoading(load, inputs) {
  const loading = useMemo(() => new Loading(load), inputs);
  useEffect(() => {
    loading.reload();
    return () => loading.drop();
  }, [loading]);
  return loading;
}
