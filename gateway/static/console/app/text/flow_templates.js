/** Flows to begin with, for a channel without one. Their texts are what visitors will read. */

export const templates = [
  {
    id: "acme",
    title: "Greet, ask, hand over",
    lead: "Asks for name, e-mail address and topic, then hands over to an agent.",
    flow: {
      start: "hello",
      blocks: {
        hello: { type: "message", text: "Hi, I am the Acme bot.", next: "name" },
        name: { type: "question", kind: "name", text: "What is your name?", field: "name", next: "email" },
        email: {
          type: "question",
          kind: "email",
          text: "And your e-mail, {name}?",
          field: "email",
          retry: "That does not look like an e-mail address.",
          next: "topic",
        },
        topic: {
          type: "buttons",
          text: "What is it about?",
          field: "topic",
          options: [
            { label: "A quote", value: "quote", next: "handover" },
            { label: "Just looking", value: "looking", next: "bye" },
          ],
        },
        handover: {
          type: "assign",
          text: "A colleague will be right with you.",
          strategy: "least_busy",
          agents: null,
          unavailable: "wait",
        },
        bye: { type: "message", text: "Enjoy!", next: null },
      },
    },
  },
  {
    id: "direct",
    title: "Straight to an agent",
    lead: "Says hello once the visitor has said what it is about, and asks for an agent.",
    flow: {
      start: "hello",
      blocks: {
        hello: { type: "question", kind: "text", text: "Hi! How can we help?", field: "request", next: "handover" },
        handover: { type: "assign", text: "Thank you. A colleague will be right with you.", unavailable: "wait" },
      },
    },
  },
  {
    id: "hours",
    title: "With a ticket when nobody is there",
    lead: "Hands over while agents are there, otherwise asks for an e-mail address and opens a ticket.",
    flow: {
      start: "hello",
      blocks: {
        hello: { type: "question", kind: "text", text: "Hi! How can we help?", field: "request", next: "handover" },
        handover: { type: "assign", text: "A colleague will be right with you.", unavailable: "email" },
        email: {
          type: "question",
          kind: "email",
          text: "Nobody is there now. To which address may we write?",
          field: "email",
          retries: 2,
          otherwise: "ticket",
          next: "ticket",
        },
        ticket: { type: "ticket", subject: "Call back {name|a visitor}", description: "{request}", next: "thanks" },
        thanks: { type: "message", text: "Thank you. We will write to {email|you}.", next: null },
      },
    },
  },
  {
    id: "greeting",
    title: "Nothing but a greeting",
    lead: "One message, to build upon.",
    flow: { start: "hello", blocks: { hello: { type: "message", text: "Hi! How can we help?", next: null } } },
  },
];
