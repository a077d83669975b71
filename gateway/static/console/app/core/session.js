/**
 * Who is signed in, in this browser: tokens shared by its tabs, refreshed by one of them at a time.
 *
 * A refresh token is good once, and one that comes twice ends the session: tabs take turns by a lock, and look
 * whether another was faster.
 */

import { batch, computed, signal } from "@preact/signals";
import { Problem } from "./problem.js";

// Apart, so that news of the agent never write older tokens over those that another tab has just got.
const TOKENS = "foyer.session";
const AGENT = "foyer.agent";
const EARLY = 30_000; // milliseconds before its end at which an access token is renewed

const tokens = signal(read(TOKENS));
/** The own account, or null when nobody is signed in. */
export const me = signal(read(AGENT));
export const signedIn = computed(() => tokens.value !== null && me.value !== null);
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

/** Sign out here and in all tabs; the server is told if it can be. */
export async function signOut() {
  const token = tokens.value?.access_token;
  forget();
  over.value = false;
  if (!token) return;
  try {
    await fetch("/v1/auth/logout", { method: "POST", headers: { Authorization: `Bearer ${token}` }, keepalive: true });
  } catch {
    // The access token runs out by itself.
  }
}

/** Drop the session without telling the server: it is over already. */
export function forget() {
  batch(() => {
    over.value = true;
    write(TOKENS, tokens, null);
    write(AGENT, me, null);
  });
}

/** What is known of the own account has changed. */
export function learnOwn(agent) {
  const known = me.peek();
  if (known === null || known.id !== agent.id || known.version > agent.version) return;
  write(AGENT, me, agent);
}

/** An access token that is good for a while. Throws Problem (`TOKEN_INVALID` when the session is over). */
export async function accessToken() {
  const known = tokens.peek();
  if (known === null) throw new Problem({ code: "UNAUTHENTICATED", detail: "Nobody is signed in.", status: 401 });
  if (known.good_until - EARLY > Date.now()) return known.access_token;
  return renew(known.access_token);
}

/** A newer token than `used`, which was refused or is about to be. Throws Problem. */
export async function renew(used) {
  return locked(async () => {
    const known = read(TOKENS);
    if (known === null) throw new Problem({ code: "UNAUTHENTICATED", detail: "Nobody is signed in.", status: 401 });
    if (known.access_token !== used) {
      tokens.value = known;
      return known.access_token;
    }
    try {
      keep(await post("/v1/auth/refresh", { refresh_token: known.refresh_token }));
    } catch (problem) {
      if (problem.status === 401) forget();
      throw problem;
    }
    return tokens.peek().access_token;
  });
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

async function post(path, body) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(15_000),
    });
  } catch (error) {
    throw Problem.noAnswer(error.message);
  }
  if (!response.ok) throw await Problem.of(response);
  return response.json();
}
