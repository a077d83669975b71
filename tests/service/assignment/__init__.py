"""The assignment service, with a broker and a database."""
