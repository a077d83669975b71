"""`create-admin`, `revoke-tokens` and `announce`: what the presence service does for the operator."""

import argparse
import secrets
import sys
from pathlib import Path
from typing import Any

from deploy.ops.context import ACTOR, Context
from deploy.ops.errors import FINE, Unusable, Wrong
from deploy.ops.tables import confirm, count_of

PAGE = 100


def add_parsers(commands: Any) -> None:
    """Add them."""
    admin = commands.add_parser("create-admin", help="make an account that may administer")
    admin.add_argument("--email", required=True)
    admin.add_argument("--name", required=True)
    source = admin.add_mutually_exclusive_group()
    source.add_argument(
        "--password-file", type=Path, metavar="FILE", help="its first line is the password; else one is generated"
    )
    source.add_argument("--password-stdin", action="store_true", help="the first line of standard input is the password")
    admin.set_defaults(run=create_admin)

    revoke = commands.add_parser("revoke-tokens", help="end sessions: nobody who has one gets any further with it")
    whose = revoke.add_mutually_exclusive_group(required=True)
    whose.add_argument("--agent", metavar="EMAIL", help="of this agent")
    whose.add_argument("--all", action="store_true", help="of everybody")
    revoke.add_argument("--api-tokens", action="store_true", help="and revoke the API tokens (that the agent made)")
    revoke.add_argument("--yes", action="store_true", help="don't ask before ending everybody's")
    revoke.set_defaults(run=revoke_tokens)

    announce = commands.add_parser("announce", help="tell the other services of every agent and team once more")
    announce.set_defaults(run=announce_all)


def create_admin(options: argparse.Namespace) -> int:
    """Exit status 1 when presence refuses the account."""
    given = _read_password(options)
    password = given or secrets.token_urlsafe(15)
    with Context() as context:
        agent = context.call(
            "presence", "create_agent", name=options.name, email=options.email, password=password, role="admin", actor=ACTOR
        )
    print(f"{agent['email']} is an admin now (id {agent['id']}).")
    if given is None:
        print(f"password: {password}")
        print("It is shown this once: sign in and change it.")
    return FINE


def revoke_tokens(options: argparse.Namespace) -> int:
    """Exit status 1 for an unknown agent."""
    with Context() as context:
        agent_id = context.call("presence", "find_agent", email=options.agent)["id"] if options.agent else None
        if options.all:
            confirm("End the sessions of everybody who is signed in?", yes=options.yes)
        ended = 0
        while True:
            answer = context.call("presence", "revoke_sessions", agent_id=agent_id, actor=ACTOR)
            ended += answer["revoked"]
            if not answer["more"]:
                break
        print(f"{count_of(ended, 'session')} ended: their tokens are refused within a second.")
        if options.api_tokens:
            revoked = context.call("presence", "revoke_api_tokens", created_by=agent_id, actor=ACTOR)["revoked"]
            print(f"{count_of(revoked, 'API token')} revoked: refused within ten seconds.")
    return FINE


def announce_all(options: argparse.Namespace) -> int:  # noqa: ARG001 - as every command
    """Agents and teams, page by page."""
    with Context() as context:
        told = {}
        for kind in ("agents", "teams"):
            told[kind], cursor = 0, None
            while True:
                answer = context.call("presence", f"announce_{kind}", cursor=cursor, limit=PAGE, actor=ACTOR)
                told[kind] += answer["announced"]
                cursor = answer["next_cursor"]
                if cursor is None:
                    break
    print(f"{count_of(told['agents'], 'agent')} and {count_of(told['teams'], 'team')} announced.")
    return FINE


def _read_password(options: argparse.Namespace) -> str | None:
    """The password that was given, without the end of its line. Raises Unusable, Wrong for an empty one."""
    if options.password_stdin:
        text = sys.stdin.readline()
    elif options.password_file:
        try:
            text = options.password_file.read_text().partition("\n")[0]
        except (OSError, UnicodeDecodeError) as error:
            raise Unusable(f"{options.password_file} can't be read: {error}.") from None
    else:
        return None
    password: str = text.rstrip("\r\n")
    if not password:
        raise Wrong("The password is empty.")
    return password
