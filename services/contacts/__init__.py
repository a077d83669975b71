"""The contacts service: visitors' profiles, what is known of where they come from, their notes and tickets."""
