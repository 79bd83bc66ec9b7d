"""What the sandbox tells of generations, as JSON, in the newer and the older words of the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from skills_video_runtime.sandbox.ledger import Usage, videos_of

if TYPE_CHECKING:
    from skills_video_runtime.sandbox.ledger import Generation, Phase

_OLDER: Final = {
    "IN_QUEUE": "starting",
    "IN_PROGRESS": "processing",
    "COMPLETED": "succeeded",
    "FAILED": "failed",
    "CANCELED": "canceled",
}


def submission(generation: Generation, now: float) -> dict[str, Any]:
    """The answer of the create endpoint, and an item of the running list."""
    phase = generation.phase(now)
    state, usage = phase.status, generation.usage.as_json()
    if "older" in generation.faults:
        return {"id": generation.id, "status": _OLDER.get(state, state), "usage": usage, **_place(phase)}
    return {"id": generation.id, "status": state, "input": generation.input, "usage": usage, **_place(phase)}


def result(generation: Generation, now: float, media: str) -> dict[str, Any]:
    """The answer of the result endpoint; `media` is the origin of the URLs of files."""
    answer = event(generation, generation.phase(now), media)
    answer["usage"] = generation.usage.as_json()
    if _is_older(generation):
        return answer
    return {"id": answer.pop("id"), "status": answer.pop("status"), "input": generation.input, **answer}


def event(generation: Generation, phase: Phase, media: str) -> dict[str, Any]:
    """One frame of the stream: the generation in a state, charged only when it is final."""
    status = phase.status
    answer: dict[str, Any] = {"id": generation.id, "status": status, "data": None, "usage": Usage().as_json()}
    answer |= _place(phase)
    if _is_older(generation):
        answer["status"] = _OLDER.get(status, status)
    if status == generation.phases[-1].status:
        answer["usage"] = generation.usage.as_json()
    if status == "COMPLETED":
        answer["data"] = _output(generation, media)
    if status == "FAILED":
        answer |= {"code": generation.code, "message": generation.message}
    return answer


def _place(phase: Phase) -> dict[str, int]:
    """The place in the queue, under a name of our choice: the platform publishes none."""
    if phase.place is None:
        return {}
    return {"queue_position": phase.place}


def _is_older(generation: Generation) -> bool:
    """Whether result and stream speak in the older words, and not the create answer alone."""
    return "older" in generation.faults and generation.faults.text("older") != "mixed"


def _output(generation: Generation, media: str) -> dict[str, Any]:
    """The finished videos of a generation; the shape is likely, by analogy with the platform's image example."""
    count = videos_of(generation.input)
    videos = [
        {
            "url": f"{media}/media/{generation.id}/{index}.mp4",
            "file_name": generation.faults.text("download-name", f"{generation.id}-{index}.mp4"),
            "content_type": "video/mp4",
            "width": 64,
            "height": 36,
        }
        for index in range(count)
    ]
    return {
        "type": "video",
        "n": count,
        "actual_prompt": str(generation.input.get("prompt", "")),
        "videos": videos,
        "video": videos[0],
    }
