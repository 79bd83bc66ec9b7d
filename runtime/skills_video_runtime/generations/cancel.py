"""To cancel a generation, where the platform's description offers that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skills_video_runtime.errors import NotOffered

from .following import GET_PATIENCE
from .media import belonging_to
from .outcomes import Answer, Lost
from .records import Ending
from .states import RESULT, Generation, Status, path_of

if TYPE_CHECKING:
    from .call import Call

TOLD_IN_THE_JOURNAL = (Status.CANCELED, Status.FAILED)  # the files of what is COMPLETED are yet to be had


async def cancel(call: Call, name: str) -> Generation:
    """Cancel a generation, and give its state after that. What is transient is tried again: it cannot harm."""
    offer = call.offered(None).cancel
    if offer is None:
        raise NotOffered("The platform describes no endpoint that cancels a generation; nothing was sent.")
    path, attempt = path_of(offer.path, name), 0
    while True:
        attempt += 1
        patience = call.patience(GET_PATIENCE)
        outcome = await call.io.send(offer.method, path, patience, patience)
        if isinstance(outcome, Answer) and outcome.ok:
            state = call.state_in(outcome, name) or await _state_after(call, name)
            break
        if isinstance(outcome, Answer) and not outcome.is_transient:
            state = await call.get(name)
            if not state.is_finished:
                raise outcome.error(name)
            break
        if not isinstance(outcome, (Answer, Lost)):
            outcome = Lost("a stream came as the answer", is_transient=False)
        await call.pause("cancel", attempt, outcome, name)
    if state.status in TOLD_IN_THE_JOURNAL:
        call.end(name, Ending(state.status, state.usage.total))
    return belonging_to(call.files, state)


async def _state_after(call: Call, name: str) -> Generation:
    """Ask for the state of what was canceled. One that is not there any more is over."""
    outcome = await call.ask(path_of(RESULT, name))
    if outcome.status == 404:
        return Generation(name, Status.CANCELED, {"id": name, "status": Status.CANCELED})
    return call.state_in(outcome, name) or await call.get(name)
