"""What a run prints once everything is up: addresses, accounts, and what to try next."""

import shlex
from pathlib import Path

from deploy.local.demo import Account, Demo

RULE = "─" * 96

NEXT = "WHAT TO TRY NEXT: write on the demo page, answer in the console as one of the agents. Or, in another terminal:"

# Each step can be pasted by itself or together with the ones before it; only curl and sed are used.
TRY = r"""
A visitor opens the chat, and the bot greets:

. {file}
JSON='Content-Type: application/json'
VISITOR=$(curl -sS "$FOYER_URL/v1/widget/$FOYER_CHANNEL/session" -H "$JSON" -d '{{"url":"https://acme.example/pricing?utm_source=demo","title":"Pricing","locale":"en-GB"}}' | sed -n 's/.*"visitor_token": *"\([^"]*\)".*/\1/p')
curl -sSw '\n' "$FOYER_URL/v1/widget/messages" -H "Authorization: Bearer $VISITOR"

An agent signs in and watches; while the stream is open, the agent is connected:

AGENT=$(curl -sS "$FOYER_URL/v1/auth/token" -H "$JSON" -d "{{\"email\":\"$FOYER_AGENT_1_EMAIL\",\"password\":\"$FOYER_AGENT_1_PASSWORD\"}}" | sed -n 's/.*"access_token": *"\([^"]*\)".*/\1/p')
curl -sSN "$FOYER_URL/v1/events" -H "Authorization: Bearer $AGENT" & STREAM=$!

The visitor answers the bot's questions, and is handed over to the agent:

say() {{ curl -sS "$FOYER_URL/v1/widget/messages" -H "Authorization: Bearer $VISITOR" -H "$JSON" -d "{{\"$1\":\"$2\",\"client_message_id\":\"$(cat /proc/sys/kernel/random/uuid)\"}}"; echo; }}
say text 'Mia Lund'
say text 'mia@example.com'
say choice quote

The agent answers, and the visitor reads it:

CONVERSATION=$(say text 'How much is it for ten people?' | sed -n 's/.*"conversation_id": *"\([^"]*\)".*/\1/p')
curl -sSw '\n' "$FOYER_URL/v1/conversations/$CONVERSATION/messages" -H "Authorization: Bearer $AGENT" -H "$JSON" -d '{{"text":"Ten seats are 90 a month.","client_message_id":"answer-1"}}'
curl -sSw '\n' "$FOYER_URL/v1/widget/messages" -H "Authorization: Bearer $VISITOR"

Who was chosen and why, then the archive:

curl -sSw '\n' "$FOYER_URL/v1/conversations/$CONVERSATION/assignments" -H "Authorization: Bearer $AGENT"
curl -sSw '\n' -X PATCH "$FOYER_URL/v1/conversations/$CONVERSATION" -H "Authorization: Bearer $AGENT" -H "$JSON" -d '{{"status":"archived"}}'
kill $STREAM

Whole dialogues at once, every transcript compared with its input:

make -C {repository} replay
"""


def banner(*, url: str, demo: Demo, demo_file: Path, repository: Path, log_dir: Path, first_run: bool, seconds: float) -> str:
    """The text. Passwords appear on the first run only, and the commands only when there is a demo to try them on."""
    lines = [
        RULE,
        f"Foyer is ready after {seconds:.0f} s. Ctrl-C stops it.",
        "",
        f"  Console          {url}/console/",
        *([f"  Demo page        {url}/demo?channel={demo.channel_id}"] if demo.channel_id is not None else []),
        f"  API              {url}/v1",
        f"  Documentation    {url}/docs          OpenAPI {url}/v1/openapi.json",
        f"  Health, metrics  {url}/readyz        {url}/metrics",
        f"  Logs             {log_dir}/",
    ]
    if demo.channel_id is not None:
        lines += [f"  Demo channel     {demo.channel_id}", ""]
        lines += _accounts(demo, demo_file, first_run=first_run)
    if demo.channel_id is not None and demo.agents[0].password is not None:
        file, folder = shlex.quote(str(demo_file)), shlex.quote(str(repository))
        lines += ["", NEXT, TRY.format(file=file, repository=folder).rstrip()]
    return "\n".join([*lines, RULE])


def _accounts(demo: Demo, demo_file: Path, *, first_run: bool) -> list[str]:
    accounts = [("Admin", demo.admin), *(("Agent", agent) for agent in demo.agents)]
    lines = [f"  {role:<15}  {account.email:<24}{_password(account) if first_run else ''}".rstrip() for role, account in accounts]
    said = "shown this once; generated ones are kept" if first_run else "generated at the first run and kept"
    return [*lines, f"  Passwords        {said}, for you alone, in {demo_file}"]


def _password(account: Account) -> str:
    return account.password or "(has a password from before)"
