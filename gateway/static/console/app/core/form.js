/**
 * A form over something that may change meanwhile: what was typed stays, what wasn't follows what is there, and only what was
 * typed is sent.
 */

import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { newId } from "./ids.js";
import { explain } from "./toasts.js";

/**
 * `current`: the values by field as they are now. `send(changes, values, key)` does it, and may throw a Problem; `key` is the same for
 * as long as the same is sent, so that what was made unheard is not made twice. `taken`: which field a problem's code is about,
 * `{EMAIL_TAKEN: "email"}`. `drafts`, a Map, keeps what was typed under `name` when the form goes away.
 */
export function useForm(current, send, { taken = {}, drafts, name } = {}) {
  const [draft] = useState(() => drafts?.get(name) ?? { typed: signal({}), key: newId() });
  const typed = draft.typed.value;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  const values = { ...current, ...Object.fromEntries(Object.entries(typed).map(([field, { value }]) => [field, value])) };
  const changed = Object.keys(typed).filter((field) => !same(values[field], current[field]));
  const changes = Object.fromEntries(changed.map((field) => [field, values[field]]));
  const type = (now) => {
    draft.key = newId();
    draft.typed.value = now;
    drafts?.set(name, draft);
  };
  const set = (field, value) => {
    const now = draft.typed.peek();
    const before = now[field] ?? { value: current[field], over: current[field] };
    if (!same(value, before.value)) type({ ...now, [field]: { value, over: before.over } });
    setProblem((told) => without(told, field, taken));
  };
  const submit = async (event) => {
    event?.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await send(changes, values, draft.key);
      // What was typed while it was sent is still to be sent.
      type(Object.fromEntries(Object.entries(draft.typed.peek()).filter(([field, { value }]) => !same(value, values[field]))));
    } catch (caught) {
      setProblem(caught);
    } finally {
      setBusy(false);
    }
  };
  const errors = errorsOf(problem, taken);
  return {
    values,
    changes,
    changed: changed.length > 0,
    /** What was typed over and has changed since. */
    conflicts: changed.filter((field) => !same(typed[field].over, current[field])),
    busy,
    problem,
    submit,
    set,
    errors: (field) => errors[field] ?? [],
    /** Whether the problem is told beside none of these fields. */
    untold: (fields) => problem !== null && !fields.some((field) => errors[field]),
    /** What a control of a field takes. */
    field: (field) => ({ value: values[field], errors: errors[field] ?? [], onInput: (value) => set(field, value) }),
    /** What the control takes that tells all that went wrong. */
    sole: (field) => {
      const told = errors[field] ?? (problem === null ? [] : [explain(problem)]);
      return { value: values[field], errors: told, onInput: (value) => set(field, value) };
    },
    discard: () => {
      type({});
      setProblem(null);
    },
  };
}

/** By field, whatever lies below it: `events.0` is about `events`. */
function errorsOf(problem, taken) {
  if (problem === null) return {};
  if (taken[problem.code]) return { [taken[problem.code]]: [explain(problem)] };
  const errors = {};
  for (const [path, words] of Object.entries(problem.errors ?? {})) {
    const [field] = path.split(".");
    errors[field] = [...new Set([...(errors[field] ?? []), ...words])];
  }
  return errors;
}

/** The problem less what it says about a field that is being mended. */
function without(problem, field, taken) {
  if (problem === null || taken[problem.code] === field) return null;
  const left = Object.entries(problem.errors ?? {}).filter(([path]) => path.split(".")[0] !== field);
  if (left.length === Object.keys(problem.errors ?? {}).length) return problem;
  return left.length ? { ...problem, errors: Object.fromEntries(left) } : null;
}

function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
