"""What is made once before the product runs: keys, the broker's users and topology, the database's users."""
