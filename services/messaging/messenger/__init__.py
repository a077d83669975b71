"""Facebook Messenger: a page's visitors in, the bot's and the agents' answers out; docs/messenger.md is its manual."""
