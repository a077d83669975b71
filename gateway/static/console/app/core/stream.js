/**
 * The event stream over a WebSocket: resumed by id without gap or repeat, on whatever gateway answers.
 *
 * Not an EventSource: over HTTP/1.1 a browser has six connections to a host, each tab would hold one of them, and heartbeats,
 * which tell a silent stream from a dead one, would not be seen.
 */

import { signal } from "@preact/signals";
import { post } from "./api.js";
import { backoff } from "./pause.js";

const SILENCE = 40_000; // milliseconds; heartbeats come every 15 s
const STALE = 20_000; // a machine that slept has no timers: what was heard so long ago may be dead
const STEADY = 30_000; // a connection that lasted so long was a good one
const SHORTEST = 500;
const LONGEST = 10_000;

/** `live`, `connecting` at the very beginning, `lost` while a connection is looked for. */
export const connection = signal("connecting");

const listeners = new Map();
let socket = null;
let lastId = null;
let failures = 0;
let readyAt = null;
let heardAt = 0;
let timer = null;
let watchdog = null;
let wanted = false;

/** Call `listener(data)` at every event of a name; `reset` tells that something was missed for good. Returns how to stop. */
export function on(name, listener) {
  const known = listeners.get(name) ?? new Set();
  listeners.set(name, known.add(listener));
  return () => known.delete(listener);
}

/** Begin, at the present. */
export function start() {
  if (wanted) return;
  wanted = true;
  lastId = null;
  connection.value = "connecting";
  for (const name of ["online", "focus"]) addEventListener(name, hurry);
  document.addEventListener("visibilitychange", hurry);
  connect();
}

/** End; nothing is remembered. */
export function stop() {
  wanted = false;
  lastId = null;
  for (const name of ["online", "focus"]) removeEventListener(name, hurry);
  document.removeEventListener("visibilitychange", hurry);
  clearTimeout(timer);
  hangUp();
}

async function connect() {
  clearTimeout(timer);
  hangUp();
  const attempt = {};
  socket = attempt;
  let ticket;
  try {
    ({ ticket } = await post("/v1/events/ticket"));
  } catch (problem) {
    if (socket === attempt) again(problem.retryAfter);
    return;
  }
  if (socket !== attempt || !wanted) return;
  const address = new URL("/v1/events/ws", location.href);
  address.protocol = address.protocol.replace("http", "ws");
  address.searchParams.set("ticket", ticket);
  if (lastId !== null) address.searchParams.set("last_event_id", lastId);
  const opened = new WebSocket(address);
  socket = opened;
  watch();
  opened.onmessage = (message) => {
    if (socket === opened) receive(JSON.parse(message.data));
  };
  opened.onclose = () => {
    if (socket === opened) again();
  };
}

function receive({ id, event, data }) {
  watch();
  if (id) lastId = id;
  if (event === "stream.ready") {
    readyAt = Date.now();
    connection.value = "live";
  }
  for (const listener of listeners.get(event) ?? []) {
    try {
      listener(data);
    } catch (error) {
      // One view's mistake must not stop the stream for the others.
      reportError(error);
    }
  }
}

function again(retryAfter = 0) {
  hangUp();
  if (!wanted) return;
  connection.value = "lost";
  failures = readyAt !== null && Date.now() - readyAt > STEADY ? 1 : failures + 1;
  readyAt = null;
  clearTimeout(timer);
  timer = setTimeout(connect, backoff(failures, { shortest: SHORTEST, longest: LONGEST, retryAfter }));
}

/** The network or the person is back: don't wait for the timer. */
function hurry() {
  const asleep = connection.value === "live" && Date.now() - heardAt > STALE;
  if (wanted && document.visibilityState === "visible" && (connection.value === "lost" || asleep)) connect();
}

function watch() {
  heardAt = Date.now();
  clearTimeout(watchdog);
  watchdog = setTimeout(again, SILENCE);
}

function hangUp() {
  clearTimeout(watchdog);
  const old = socket;
  socket = null;
  if (old instanceof WebSocket) old.close();
}
