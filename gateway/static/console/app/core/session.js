/**
 * Who is signed in, in this browser: tokens shared by its tabs, refreshed by one of them at a time.
 *
 * A refresh token is good once, and one that comes twice ends the session: tabs take turns by a lock, and look
 * whether another was faster.
 */

import { batch, computed, signal } from "@preact/signals";
import { text } from "../text/index.js";
import { Problem } from "./problem.js";

// Apart, so that news of the agent never write older tokens over those that another tab has just got.
const TOKENS = "foyer.session";
const AGENT = "foyer.agent";
const EARLY = 30_000; // milliseconds before its end at which an access token is renewed
const TIMEOUT = 15_000;
const REFRESH_TIMEOUT = 8_000;

const tokens = signal(read(TOKENS));
/** The own account, or null when nobody is signed in. */
export const me = signal(read(AGENT));
export const signedIn = computed(() => tokens.value !== null && me.value !== null);
/** The own id: changes with who is signed in, not with how they stand. */
export const ownId = computed(() => me.value?.id);
export const isAdmin = computed(() => me.value?.role === "admin");
/** Whether a session ended that nobody had signed out of. */
export const over = signal(false);

addEventListener("storage", ({ key }) => {
  batch(() => {
    if (key === TOKENS || key === null) tokens.value = read(TOKENS);
    if (key === AGENT || key === null) me.value = read(AGENT);
  });
});

/** Sign in. Throws Problem. */
export async function signIn(email, password) {
  const answer = await post("/v1/auth/token", { email, password });
  batch(() => {
    write(AGENT, me, answer.agent);
    keep(answer);
  });
}

/** Sign out here and in all tabs at once; the server is told as soon as it can be. */
export async function signOut() {
  const known = read(TOKENS);
  drop();
  if (known === null) return;
  await locked(async () => {
    try {
      // After a sleep the access token may be too old to end the session with.
      const token = isGood(known) ? known.access_token : (await refresh(known)).access_token;
      await fetch("/v1/auth/logout", { method: "POST", headers: { Authorization: `Bearer ${token}` }, keepalive: true });
    } catch {
      // The session runs out by itself.
    }
  });
}

/** The server refused this access token although it was new: the session is over, unless there is another one by now. */
export function forget(token) {
  if (read(TOKENS)?.access_token !== token) return;
  drop();
  over.value = true;
}

/** What is known of the own account has changed. */
export function learnOwn(agent) {
  const known = me.peek();
  if (known === null || known.id !== agent.id || known.version >= agent.version) return;
  write(AGENT, me, agent);
}

/** An access token that is good for a while. Throws Problem (`TOKEN_INVALID` when the session is over). */
export async function accessToken() {
  const known = tokens.peek();
  if (known === null) throw nobody();
  return isGood(known) ? known.access_token : renew(known.access_token);
}

/** A newer token of the same agent than `used`, which was refused or is about to be. Throws Problem. */
export async function renew(used) {
  const agentId = me.peek()?.id;
  return locked(async () => {
    const known = read(TOKENS);
    // What one agent began is not gone on with in the name of another who has signed in meanwhile.
    if (known === null || read(AGENT)?.id !== agentId) throw nobody();
    if (known.access_token !== used) {
      tokens.value = known;
      return known.access_token;
    }
    let answer;
    try {
      answer = await refresh(known);
    } catch (problem) {
      if (problem.status === 401) forget(used);
      throw problem;
    }
    if (read(TOKENS)?.refresh_token !== known.refresh_token) throw nobody();
    keep(answer);
    return answer.access_token;
  });
}

/** A spent refresh token is taken once more within a minute: so an answer that doesn't come is asked for again at once. */
async function refresh({ refresh_token }) {
  try {
    return await post("/v1/auth/refresh", { refresh_token }, REFRESH_TIMEOUT);
  } catch (problem) {
    if (problem.status !== 0) throw problem;
    return post("/v1/auth/refresh", { refresh_token }, REFRESH_TIMEOUT);
  }
}

let turn = Promise.resolve();

function locked(work) {
  // Without a secure context there are no locks between tabs, only between this tab's own calls.
  if (navigator.locks) return navigator.locks.request(TOKENS, work);
  const done = turn.then(work);
  turn = done.catch(() => {});
  return done;
}

function keep({ access_token, refresh_token, expires_in }) {
  write(TOKENS, tokens, { access_token, refresh_token, good_until: Date.now() + expires_in * 1000 });
  over.value = false;
}

function isGood({ good_until }) {
  return good_until - EARLY > Date.now();
}

function nobody() {
  return new Problem({ code: "UNAUTHENTICATED", detail: text.signIn.over, status: 401 });
}

function drop() {
  batch(() => {
    over.value = false;
    write(TOKENS, tokens, null);
    write(AGENT, me, null);
  });
}

function write(key, target, value) {
  if (value === null) localStorage.removeItem(key);
  else localStorage.setItem(key, JSON.stringify(value));
  target.value = value;
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

async function post(path, body, timeout = TIMEOUT) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeout),
    });
  } catch (error) {
    throw Problem.noAnswer(error.message);
  }
  return Problem.check(response);
}
