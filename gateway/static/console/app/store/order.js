/** Which of two comes first, and which is newer. */

/** Ascending, for `sort`. */
export function compare(one, other) {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** The newest first, as most listings are. */
export function newestFirst(one, other) {
  return compare(other.created_at, one.created_at) || compare(other.id, one.id);
}

/** The newer of what is known, which may be nothing, and what was told; of one version, what was told. */
export function newer(known, told) {
  return known && (known.version ?? 0) > (told.version ?? 0) ? known : told;
}
