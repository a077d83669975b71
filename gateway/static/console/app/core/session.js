/**
 * Who is signed in, in this browser: tokens shared by its tabs, refreshed by one of them at a time.
 *
 * A refresh token is good once, and one that comes twice ends the session: tabs take turns by a lock, and look
 * whether another was faster.
 */

import { computed, signal } from "@preact/signals";
import { Problem } from "./problem.js";

const KEY = "foyer.session";
const EARLY = 30_000; // milliseconds before its end at which an access token is renewed

/** The tokens and the agent as the sign-in answered, or null. */
export const session = signal(read());
export const signedIn = computed(() => session.value !== null);
export const me = computed(() => session.value?.agent ?? null);
export const isAdmin = computed(() => me.value?.role === "admin");

globalThis.addEventListener("storage", (event) => {
  if (event.key === KEY || event.key === null) session.value = read();
});

/** Sign in. Throws Problem. */
export async function signIn(email, password) {
  keep(await post("/v1/auth/token", { email, password }));
}

/** Sign out here and in all tabs; the server is told if it can be. */
export async function signOut() {
  const token = session.value?.access_token;
  forget();
  if (!token) return;
  try {
    await fetch("/v1/auth/logout", { method: "POST", headers: { Authorization: `Bearer ${token}` }, keepalive: true });
  } catch {
    // The access token runs out by itself.
  }
}

/** Drop the session without telling anybody: it is over already. */
export function forget() {
  session.value = null;
  localStorage.removeItem(KEY);
}

/** What is known of the own account has changed. */
export function learnOwn(agent) {
  const known = session.value;
  if (known === null || known.agent.id !== agent.id || known.agent.version > agent.version) return;
  session.value = { ...known, agent };
  localStorage.setItem(KEY, JSON.stringify(session.value));
}

/** An access token that is good for a while. Throws Problem (`TOKEN_INVALID` when the session is over). */
export async function accessToken() {
  const known = session.value;
  if (known === null) throw new Problem({ code: "UNAUTHENTICATED", detail: "Nobody is signed in.", status: 401 });
  if (known.good_until - EARLY > Date.now()) return known.access_token;
  return renew(known.access_token);
}

/** A newer token than `used`, which was refused or is about to be. Throws Problem. */
export async function renew(used) {
  return locked(async () => {
    const known = read();
    if (known === null) throw new Problem({ code: "UNAUTHENTICATED", detail: "Nobody is signed in.", status: 401 });
    if (known.access_token !== used) {
      session.value = known;
      return known.access_token;
    }
    try {
      keep(await post("/v1/auth/refresh", { refresh_token: known.refresh_token }));
    } catch (problem) {
      if (problem.status === 401) forget();
      throw problem;
    }
    return session.value.access_token;
  });
}

let turn = Promise.resolve();

function locked(work) {
  // Without a secure context there are no locks between tabs, only between this tab's own calls.
  if (navigator.locks) return navigator.locks.request(KEY, work);
  const done = turn.then(work);
  turn = done.catch(() => {});
  return done;
}

function keep(answer) {
  session.value = { ...answer, good_until: Date.now() + answer.expires_in * 1000 };
  localStorage.setItem(KEY, JSON.stringify(session.value));
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "null");
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
