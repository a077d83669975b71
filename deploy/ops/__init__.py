"""The operator's command: `python -m deploy.ops` looks at a running Foyer, repairs, backs up and restores it."""
