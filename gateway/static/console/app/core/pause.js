/** Waiting: a while, and longer each time something fails. */

/** Resolves after so many milliseconds. */
export function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/**
 * How long to wait after the `failures`-th failure in a row, in milliseconds: doubled each time, at least as long as the server asked
 * for, and never the same for all who were cut off together.
 */
export function backoff(failures, { shortest, longest, retryAfter = 0 }) {
  const wait = Math.min(shortest * 2 ** Math.max(0, failures - 1), longest);
  return Math.max(wait, retryAfter * 1000) * (1 + Math.random() / 2);
}
