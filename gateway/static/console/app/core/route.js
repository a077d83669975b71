/** The address behind the `#`: a path and a query, read by signals and written by `go`. */

import { computed, signal } from "@preact/signals";

const hash = signal(location.hash);
const guards = new Set();

addEventListener("hashchange", () => {
  const [wanted, here] = [location.hash, hash.peek()];
  if ([...guards].every((guard) => guard(wanted, here))) {
    hash.value = wanted;
  } else {
    history.replaceState(null, "", here);
  }
});

/** Ask `guard(wanted, here)` before another address is followed; false stays here. Returns how to stop. */
export function guardRoute(guard) {
  guards.add(guard);
  return () => guards.delete(guard);
}

/** `{path: ["chats", "mine", …], query: {channel: …}}`. */
export const route = computed(() => {
  const [path, query = ""] = hash.value.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").filter(Boolean).map(decode), query: Object.fromEntries(new URLSearchParams(query)) };
});

/** The address of a path and a query, whose empty values are left out: for links. */
export function to(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value);
  const tail = given.length ? `?${new URLSearchParams(given)}` : "";
  return `#/${path.map(encodeURIComponent).join("/")}${tail}`;
}

/** Go there; `replace` leaves no entry in the history. */
export function go(path, query = {}, { replace = false } = {}) {
  const address = to(path, query);
  if (address === location.hash) return;
  if (replace) {
    history.replaceState(null, "", address);
    hash.value = address;
  } else {
    location.hash = address;
  }
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
