"""The runner without Docker: a local broker and database, the four services and the gateway under one supervisor."""
