/** Why a conversation was not given to somebody: mostly that another one was faster. */

import { text } from "../text/index.js";

/** What there is to complain of: words where a problem alone would not say who has it now. */
export function refusal(problem) {
  if (problem.code !== "ALREADY_ASSIGNED") return problem;
  const { assignee } = problem.data;
  return assignee ? text.faster.somebody(assignee.name) : text.faster.nobody;
}
