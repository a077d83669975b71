/** Calls of the API: JSON in and out, the token added and renewed, failures as Problem; what may be repeated is, for a while. */

import { newId } from "./ids.js";
import { Problem } from "./problem.js";
import { accessToken, forget, renew } from "./session.js";

const TIMEOUT = 15_000;
const ATTEMPTS = 4;

/** Read. `query`'s empty values are left out. Throws Problem. */
export function get(path, query = {}, options = {}) {
  return call("GET", path + encode(query), { ...options, repeatable: true });
}

/** Make or do something; with `once` a lost answer is asked for again by the same `Idempotency-Key`. Throws Problem. */
export function post(path, body, { once = false, ...options } = {}) {
  const headers = once ? { "Idempotency-Key": newId() } : {};
  return call("POST", path, { body, headers, repeatable: once, ...options });
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
      await pause(Math.max(problem.retryAfter * 1000, 300 * 2 ** attempt));
    }
  }
}

async function ask(method, path, body, headers) {
  const token = await accessToken();
  let response = await send(method, path, body, headers, token);
  if (response.status === 401) {
    response = await send(method, path, body, headers, await renew(token));
    if (response.status === 401) {
      forget();
    }
  }
  if (!response.ok) throw await Problem.of(response);
  return response.status === 204 ? null : response.json();
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

function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
