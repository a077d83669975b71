/** A draft tried out: what a visitor does, and what the bot would say to it. The inputs stay while the draft changes. */

import { effect, signal } from "@preact/signals";
import { post } from "../../core/api.js";

export const MAX_INPUTS = 100;
const AGAIN = 3_000;
const NOW = { open: null, available: null, country: "", first_url: "", last_url: "" };

export class FlowTrial {
  #turn = 0;
  #timer = null;
  #stop = () => {};

  /** `check`: plays what it found to be valid. */
  constructor(path, flow, check) {
    this.path = `${path}/simulate`;
    this.flow = flow;
    this.check = check;
    /** `{text}` or `{choice}` each. */
    this.inputs = signal([]);
    /** What is supposed: `open` and `available` are null for as it is now, texts empty for unknown. */
    this.options = signal(NOW);
    /** The last answer of the API, with the `inputs` that it is to; null before. */
    this.result = signal(null);
    this.playing = signal(false);
    this.problem = signal(null);
  }

  open() {
    this.#stop = effect(() => {
      const { result, current } = this.check;
      const [inputs, options] = [this.inputs.value, this.options.value];
      if (current.value && result.value.valid) this.#play(result.value.flow, inputs, options);
    });
  }

  close() {
    this.#stop();
    this.#turn += 1;
    clearTimeout(this.#timer);
  }

  /** The visitor types, or presses a button; what came too late before is forgotten. */
  say(input) {
    this.inputs.value = [...this.#used(), input];
  }

  /** The last input is taken back. */
  back() {
    this.inputs.value = this.#used().slice(0, -1);
  }

  restart() {
    this.inputs.value = [];
  }

  set(option, value) {
    this.options.value = { ...this.options.peek(), [option]: value };
  }

  #used() {
    const [inputs, result] = [this.inputs.peek(), this.result.peek()];
    return result !== null && result.inputs === inputs ? inputs.slice(0, inputs.length - result.unused_inputs) : inputs;
  }

  async #play(flow, inputs, options) {
    const turn = ++this.#turn;
    clearTimeout(this.#timer);
    this.playing.value = true;
    try {
      const result = await post(this.path, { flow, inputs, ...asked(options) });
      if (turn !== this.#turn) return;
      this.result.value = { ...result, inputs };
      this.problem.value = null;
      this.playing.value = false;
    } catch (problem) {
      if (turn !== this.#turn) return;
      this.problem.value = problem;
      this.playing.value = false;
      if (problem.passing)
        this.#timer = setTimeout(() => this.#play(flow, inputs, options), Math.max(problem.retryAfter * 1000, AGAIN));
    }
  }
}

function asked({ open, available, country, first_url, last_url }) {
  const whole = country.length === 2 ? country : ""; // half a code is none
  const contact = Object.fromEntries(
    Object.entries({ country: whole, first_url, last_url }).filter(([, value]) => value.trim() !== ""),
  );
  return { open, available, contact };
}
