"""The presence service: agents, their credentials, their connections and their availability."""
