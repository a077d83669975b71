"""Channels' flows over RPC: put, read, checked, tried out."""

import json
from dataclasses import asdict
from typing import Any

from services.common.paging import page
from services.common.rpc import rpc
from services.common.store import Document, retry_stale
from services.common.times import now, optional_to_wire, to_wire
from services.messaging import channel_schemas, errors, hours, views
from services.messaging.entrypoints.facts import AssumedFacts, StoredFacts
from services.messaging.entrypoints.finders import Finders
from services.messaging.entrypoints.pacing import paced
from services.messaging.flows.check import load_in_steps
from services.messaging.flows.preview import find_wish
from services.messaging.flows.simulate import simulate_in_steps

Wire = dict[str, Any]


class FlowMethods(Finders):
    """A channel's flow and its versions."""

    @rpc(channel_schemas.GetFlow)
    def get_flow(self, *, channel_id: str, version: int | None) -> Wire:
        """`{flow, version, created_at, created_by}` of a version, else of the active one: all None when the channel has none.

        Raises CHANNEL_NOT_FOUND, FLOW_NOT_FOUND.
        """
        found = self.store.find_flow_version(self._find_channel(channel_id), version)
        if found is None:
            if version is not None:
                raise errors.flow_not_found(version)
            return dict.fromkeys(("flow", "version", "created_at", "created_by"))
        return {
            "flow": found["flow"],
            "version": found.get("version"),
            "created_at": to_wire(found["created_at"]),
            "created_by": found.get("created_by"),
        }

    @rpc(channel_schemas.ListFlowVersions)
    def list_flow_versions(self, *, channel_id: str, cursor: str | None, limit: int) -> Wire:
        """Every version a channel's flow ever had, newest first. Raises CHANNEL_NOT_FOUND, CURSOR_INVALID."""
        channel = self._find_channel(channel_id)
        found = self.store.list_flow_versions(channel_id, cursor, limit)
        return page(found, limit, lambda kept: views.flow_version(kept, channel["flow_id"]), lambda last: (last["version"],))

    @rpc(channel_schemas.PutFlow)
    def put_flow(self, *, channel_id: str, flow: Wire, actor: Wire, expected_version: int | None) -> Wire:
        """Make a flow the channel's next version; running conversations finish on theirs. The active one again changes nothing.

        With `expected_version` (0: none) only over that version. Raises CHANNEL_NOT_FOUND, INVALID_FLOW, FLOW_CHANGED.
        """
        self._find_channel(channel_id)
        loaded = _accept(flow)

        def put() -> Document:
            channel = self._find_channel(channel_id)
            if _in_bytes(self.store.find_flow(channel["flow_id"])) == _in_bytes(loaded):
                return channel
            active = channel.get("flow_version")
            if expected_version is not None and expected_version != (active or 0):
                raise errors.flow_changed(active)
            return self.store.put_flow(channel, loaded, actor)

        return views.channel(retry_stale(put))

    @rpc(channel_schemas.DeleteFlow)
    def delete_flow(self, *, channel_id: str, actor: Wire) -> Wire:  # noqa: ARG002 - recorded by the gateway's log
        """Leave the channel without a flow: its bot is silent in new conversations. Raises CHANNEL_NOT_FOUND."""

        def delete() -> Document:
            channel = self._find_channel(channel_id)
            return channel if channel["flow_id"] is None else self.store.drop_flow(channel)

        return views.channel(retry_stale(delete))

    @rpc(channel_schemas.CheckFlow)
    def check_flow(self, *, channel_id: str, flow: Wire) -> Wire:
        """`{valid, problems: [{place, message}]}`: what put_flow would refuse. Raises CHANNEL_NOT_FOUND."""
        self._find_channel(channel_id)
        _, problems = paced(load_in_steps(flow))
        listed = [{"place": place, "message": text} for place, texts in problems.items() for text in texts]
        return {"valid": not listed, "problems": listed}

    @rpc(channel_schemas.SimulateFlow)
    def simulate_flow(
        self,
        *,
        channel_id: str,
        flow: Wire | None,
        inputs: list[Wire],
        contact: Wire,
        open: bool | None,  # noqa: A002 - the name on the wire
        available: bool | None,
    ) -> Wire:
        """What a visitor who does this would see, by the flow given or else the active one; nothing happens by it.

        `open` and `available` are as they are now unless said. Raises CHANNEL_NOT_FOUND, FLOW_NOT_FOUND, INVALID_FLOW.
        """
        channel = self._find_channel(channel_id)
        played = self.store.find_flow(channel["flow_id"]) if flow is None else _accept(flow)
        if played is None:
            raise errors.flow_not_found()
        facts = AssumedFacts(StoredFacts(self.store, channel_id, None), contact, is_open=open, available=available)
        return paced(simulate_in_steps(played, inputs, fields=contact["fields"], facts=facts))

    @rpc(channel_schemas.PreviewAssignment)
    def preview_assignment(self, *, channel_id: str, block: str | None) -> Wire:
        """What the channel's assign block (the named one, else the nearest to the start) would ask for now.

        `{open, opens_at, block, strategy, agents, team, priority, unavailable}`; without such a block, the defaults and block
        None. `opens_at` is None while it is open, and when it never is. Raises CHANNEL_NOT_FOUND, VALIDATION_FAILED (`block`).
        """
        channel = self._find_channel(channel_id)
        try:
            name, wish = find_wish(self.store.find_flow(channel["flow_id"]), block)
        except KeyError:
            raise errors.no_assign_block(block or "") from None
        at, schedule = now(), hours.read_hours(channel.get("business_hours"))
        is_open = hours.is_open(schedule, at)
        opens_at = None if is_open else hours.next_opening(schedule, at)
        return {"open": is_open, "opens_at": optional_to_wire(opens_at), "block": name, **asdict(wish)}


def _accept(flow: Wire) -> Document:
    loaded, problems = paced(load_in_steps(flow))
    if problems:
        raise errors.invalid_flow(problems)
    return loaded


def _in_bytes(flow: Document | None) -> bytes:
    """To be compared: true, 1 and 1.0 are equal in Python and not to a flow."""
    return json.dumps(flow, sort_keys=True).encode()
