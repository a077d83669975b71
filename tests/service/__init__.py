"""One real service each, with a real broker and database."""
