/** Calls of the API: JSON in and out, the token added and renewed, failures as Problem; what may be repeated is, for a while. */

import { newId } from "./ids.js";
import { backoff, pause } from "./pause.js";
import { Problem } from "./problem.js";
import { accessToken, forget, renew } from "./session.js";

const TIMEOUT = 15_000;
const ATTEMPTS = 4;

/** Read. `query`'s empty values are left out. Throws Problem. */
export function get(path, query = {}, options = {}) {
  return call("GET", path + encode(query), { ...options, repeatable: true });
}

/**
 * Make or do something. With `key`, the `Idempotency-Key` of what is to be made once, a lost answer is asked for again, here and by
 * whoever calls with the same key; `once` makes a new one. Throws Problem.
 */
export function post(path, body, { once = false, key = once ? newId() : null, ...options } = {}) {
  const headers = key === null ? {} : { "Idempotency-Key": key };
  return call("POST", path, { body, headers, repeatable: key !== null, ...options });
}

/** Change. Throws Problem. */
export function patch(path, body) {
  return call("PATCH", path, { body });
}

/** Put. Throws Problem. */
export function put(path, body, query = {}) {
  return call("PUT", path + encode(query), { body });
}

/** Remove. Throws Problem. */
export function remove(path, query = {}) {
  return call("DELETE", path + encode(query));
}

/** Every item of a listing that is short by nature: agents, channels, teams. Throws Problem. */
export async function all(path, query = {}) {
  const items = [];
  let cursor = null;
  do {
    const page = await get(path, { ...query, cursor, limit: 100 });
    items.push(...page.items);
    cursor = page.next_cursor ?? null;
  } while (cursor !== null);
  return items;
}

async function call(method, path, { body, headers = {}, repeatable = false } = {}) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask(method, path, body, headers);
    } catch (problem) {
      if (!(problem instanceof Problem) || !problem.passing || !repeatable || attempt === ATTEMPTS) throw problem;
      await pause(backoff(attempt, { shortest: 600, longest: 5_000, retryAfter: problem.retryAfter }));
    }
  }
}

async function ask(method, path, body, headers) {
  const token = await accessToken();
  let response = await send(method, path, body, headers, token);
  if (response.status === 401) {
    const newer = await renew(token);
    response = await send(method, path, body, headers, newer);
    if (response.status === 401) forget(newer);
  }
  return Problem.check(response);
}

async function send(method, path, body, headers, token) {
  const init = { method, headers: { Authorization: `Bearer ${token}`, ...headers }, signal: AbortSignal.timeout(TIMEOUT) };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers["Content-Type"] = "application/json";
  }
  try {
    return await fetch(path, init);
  } catch (error) {
    throw Problem.noAnswer(error.message);
  }
}

function encode(query) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
}
