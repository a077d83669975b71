/** Words of the thread views. */

import { common } from "./common.js";

const plural = (count, one, many) => (count === 1 ? one : many);

export const thread = {
  back: "Back to the list",
  profile: "Profile",
  unknown: "There is no such conversation.",

  status: {
    bot: "Bot answers",
    queue: "Waiting in line",
    place: (position) => `Waiting in line at ${position}`,
    wait: (duration) => `Probably for another ${duration}`,
    yours: "Assigned to you",
    assigned: (name) => `Assigned to ${name}`,
    nobody: "Assigned to nobody",
    archived: "Archived",
    archivedBy: (name, time) => `Archived by ${name}, ${time}`,
  },

  actions: {
    label: "What can be done with this conversation",
    take: "Take",
    toBot: "Send back to the bot",
    archive: "Archive",
    reopen: "Open again",
    taken: "The conversation is yours.",
    returned: "The bot has the conversation again.",
    archived: "Archived.",
    reopened: "Open again. Nobody has it yet.",
    problems: {
      CONVERSATION_ARCHIVED: "The conversation has been archived meanwhile.",
      CONVERSATION_OPEN_ELSEWHERE: "This contact has a newer conversation that is open.",
      CONFLICT: "The conversation has changed meanwhile, so this isn't possible any more.",
      CONTACT_NOT_FOUND: "The visitor's data was erased, so the conversation stays archived.",
      CONVERSATION_NOT_FOUND: "There is no such conversation any more.",
    },
  },

  messages: "Messages",
  noMessages: "Nobody has said anything yet.",
  older: "Show earlier messages",
  loadingOlder: "Loading earlier messages…",
  beginning: (time) => `The conversation began ${time}`,
  newOnes: "New",
  behind: "Some new messages can't be loaded at the moment. Trying again…",
  toNewest: "To the newest message",
  newMessages: (count) => `${count} new ${plural(count, "message", "messages")}`,
  you: "You",
  author: {
    visitor: (name) => name ?? common.authors.visitor,
    bot: (name) => (name ? `${common.authors.bot} · ${name}` : common.authors.bot),
    agent: (name) => name ?? common.authors.agent,
    system: () => common.authors.system,
  },
  erased: "Erased",
  choices: "Choices offered",
  typing: (names) => {
    if (names.length === 1) return `${names[0]} is writing…`;
    return `${names.slice(0, -1).join(", ")} and ${names.at(-1)} are writing…`;
  },

  delivery: {
    sent: "Sent",
    seen: "Seen",
    queued: "Waiting to be sent",
    delivered: "Delivered",
    read: "Seen",
    failed: "Not delivered",
    why: (state, reason) => `${state}: ${reason}`,
    OUTSIDE_WINDOW: "the visitor's last message is too old for Messenger to let an answer through.",
    ERASED: "the visitor's data was erased.",
  },

  pending: {
    label: "Not sent yet",
    sending: "Sending…",
    waiting: "Will be sent when the server answers",
    later: "Will be sent as soon as the server takes more messages",
    refused: (reason) => `Not sent: ${reason}`,
    held: "Not sent, because the message before it wasn't.",
    left: "Not sent: the page was left before the server answered.",
    retry: "Try again",
    discard: "Discard",
    elsewhere: (name) => (name ? `A message to ${name} was not sent.` : "A message was not sent."),
    problems: {
      CONVERSATION_ARCHIVED: "the conversation is archived. Open it again first.",
      CONVERSATION_NOT_FOUND: "there is no such conversation any more.",
    },
  },

  composer: {
    label: "Message to the visitor",
    placeholder: "Write a message",
    keys: "Enter sends, Shift + Enter begins a new line",
    send: "Send",
    left: (count) => `${count} left`,
    over: (count) => `${count} too many`,
    hints: {
      bot: "Writing takes this conversation over from the bot.",
      queue: "Writing takes this conversation out of the line: it will be yours.",
      nobody: "Nobody has this conversation. Writing makes it yours.",
      colleague: (name) => `${name} has this conversation, and keeps it when you write.`,
    },
    archived: "This conversation is archived.",
    elsewhere: "This contact has a newer conversation that is open.",
    goThere: "Go to it",
    blocked: (name) => `${name} is blocked. Unblock them in the profile to write.`,
    erased: "The visitor's data was erased. Nothing can be written any more.",
  },
};
