"""How the time of Python's matcher grows with a text that a pattern almost matches.

It tries every way in which a text may be cut into what the parts of a pattern match. The ways are paths through the
characters of the pattern, each of which leads to those that may come next. Where two paths read the same text and come
back to where they began, the ways double with each round; where one may leave a loop for another at any character, they
are as many as the text is long, once more for each such loop. (Weber and Seidl, "On the degree of ambiguity of finite
automata", 1991, for automata; what is decided here errs on the side of too many.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

_parser: Any = import_module("re._parser")
_constants: Any = import_module("re._constants")
"""What Python itself reads a pattern with; no checker of types knows them."""

MOST_POSITIONS: Final = 1_000
"""Characters of a pattern of which the paths are followed. The limit is ours."""

MOST_LOOPED: Final = 120
"""As many of them in loops that hold each other."""

MOST_COPIES: Final = 64
"""Characters as which repetitions are written out; more are taken for a loop."""

MOST_WAYS: Final = 20_000
"""Ways in which a text of `TRIED` characters may be read."""

TRIED: Final = 32

Ranges = list[tuple[int, int]]
LAST: Final = 0x10FFFF


class TooManyError(ValueError):
    """More positions than are followed."""


def growth(pattern: str) -> int | None:
    """Give the power of the length of a text with which the time grows, None where it grows beyond any power.

    Raises:
        re.error: Python does not read the pattern.
    """
    try:
        return _growth(_parser.parse(pattern), is_anchored=False)
    except TooManyError:
        return None


def _growth(tree: Any, *, is_anchored: bool) -> int | None:
    paths = _Paths()
    ends = paths.add(tree, is_anchored=is_anchored)
    if paths.is_hopeless or paths.ways(ends.first) > MOST_WAYS:
        return None
    loops = paths.loops()
    if any(map(paths.is_ambiguous, loops)):
        return None
    degree, at_start = paths.chain(loops), 0
    for part, is_at_start in paths.asserted:
        inner = _growth(part, is_anchored=True)
        if inner is None:
            return None
        if is_at_start:
            at_start = max(at_start, inner)
        else:
            degree += inner
    return max(degree, at_start)


@dataclass(slots=True)
class _Part:
    """Where a part of a pattern may begin and end, and whether it may be left out."""

    first: list[int]
    last: list[int]
    nullable: bool


def _nothing() -> _Part:
    return _Part([], [], nullable=True)


@dataclass(slots=True)
class _Paths:
    """The characters of a pattern, each a position, and how many ways lead from one to the next."""

    sets: list[Ranges] = field(default_factory=list[Ranges])
    after: list[dict[int, int]] = field(default_factory=list[dict[int, int]])
    """The positions that may follow each, with the number of ways."""
    asserted: list[tuple[Any, bool]] = field(default_factory=list[tuple[Any, bool]])
    """What is looked for ahead or behind, which is matched by itself; and whether that is done once, at the start."""
    repeated: set[int] = field(default_factory=set[int])
    """Groups inside of loops, which ECMA-262 forgets with each round and Python does not."""
    is_hopeless: bool = False

    def add(self, tree: Any, *, is_anchored: bool) -> _Part:
        """Add a whole pattern. What need not begin the text is tried from each of its characters."""
        if is_anchored or (tree and tree[0] == (_constants.AT, _constants.AT_BEGINNING)):
            return self._sequence(tree)
        start = self._position([(0, LAST)])
        whole = self._sequence(tree)
        self._link(start, _Part([*start.first, *whole.first], [], nullable=False))
        return _Part([*start.first, *whole.first], whole.last, nullable=whole.nullable)

    def _position(self, ranges: Ranges) -> _Part:
        if len(self.sets) >= MOST_POSITIONS:
            raise TooManyError
        self.sets.append(ranges)
        self.after.append({})
        place = [len(self.sets) - 1]
        return _Part(place, place, nullable=False)

    def _link(self, left: _Part, right: _Part) -> None:
        for place in left.last:
            for follower in right.first:
                self.after[place][follower] = self.after[place].get(follower, 0) + 1
        if sum(map(len, self.after)) > MOST_POSITIONS * 10:
            raise TooManyError

    def _sequence(self, items: Any) -> _Part:
        whole = _nothing()
        for operator, argument in items:
            whole = self._join(whole, self._item(operator, argument))
        return whole

    def _join(self, left: _Part, right: _Part) -> _Part:
        self._link(left, right)
        first, last = list(left.first), list(right.last)
        if left.nullable:
            first += right.first
        if right.nullable:
            last += left.last
        return _Part(first, last, left.nullable and right.nullable)

    def _item(self, operator: Any, argument: Any) -> _Part:
        match str(operator):
            case "BRANCH":
                return self._either([self._sequence(branch) for branch in argument[1]])
            case "SUBPATTERN":
                return self._sequence(argument[3])
            case "MAX_REPEAT" | "MIN_REPEAT":
                return self._repeat(*argument)
            case "ASSERT" | "ASSERT_NOT":
                self.asserted.append((argument[1], not self.sets))
                return _nothing()
            case "GROUPREF_EXISTS":
                self.is_hopeless = self.is_hopeless or argument[0] in self.repeated
                return self._repeat(0, _constants.MAXREPEAT, [(_constants.ANY, None)])
            case "AT":
                return _nothing()
            case _:
                return self._position(_ranges(operator, argument))

    def _either(self, parts: list[_Part]) -> _Part:
        first = [place for part in parts for place in part.first]
        last = [place for part in parts for place in part.last]
        return _Part(first, last, any(part.nullable for part in parts))

    def _repeat(self, least: int, most: int, body: Any) -> _Part:
        if most > 1:
            groups = [argument[0] for operator, argument in body if str(operator) == "SUBPATTERN"]
            self.repeated.update(group for group in groups if group)
        if not most:
            return _nothing()
        before = len(self.sets)
        part = self._sequence(body)
        if most * (len(self.sets) - before) > MOST_COPIES:
            self._link(part, part)
            self.is_hopeless = self.is_hopeless or (part.nullable and least > 1)
            return _Part(part.first, part.last, part.nullable or least == 0)
        copies = [part, *(self._sequence(body) for _ in range(min(most, MOST_COPIES) - 1))]
        whole, before_it = _nothing(), _nothing()
        for index, copy in enumerate(copies):
            if index < least or copy.nullable:
                whole = self._join(whole, copy)
            else:  # what may be left out is left out with all that comes after it
                self._link(before_it, copy)
                whole = _Part(whole.first or copy.first, [*whole.last, *copy.last], whole.nullable)
            before_it = copy
        return whole

    def ways(self, first: list[int]) -> int:
        """Give in how many ways a text of some characters may be read: that which offers the most at each step."""
        counts = dict.fromkeys(first, 1)
        most = 1
        for _ in range(TRIED):
            best: dict[int, int] = {}
            for character in {self.sets[place][0][0] for place in counts if self.sets[place]}:
                taken = {place: count for place, count in counts.items() if _holds(self.sets[place], character)}
                if sum(taken.values()) > sum(best.values()):
                    best = taken
            most = max(most, sum(best.values()))
            following: dict[int, int] = {}
            for place, count in best.items():
                for follower, number in self.after[place].items():
                    following[follower] = following.get(follower, 0) + count * number
            counts = following
        return most

    def loops(self) -> list[frozenset[int]]:
        """Give the positions that lead back to themselves, those together that lead to each other."""
        live = dict(enumerate(self.after))
        while True:
            entered = {follower for followers in live.values() for follower in followers}
            kept = {place: live[place] for place in live if place in entered and live.keys() & live[place].keys()}
            if len(kept) == len(live):
                break
            live = kept
        if len(live) > MOST_LOOPED * 2:
            raise TooManyError
        reached = {place: self._reached(place, live) for place in live}
        loops = {
            frozenset(other for other in reached[place] if place in reached[other])
            for place in live
            if place in reached[place]
        }
        return sorted(loops, key=min)

    def _reached(self, start: int, among: Any) -> set[int]:
        found: set[int] = set()
        waiting = [start]
        while waiting:
            new = [place for place in self.after[waiting.pop()] if place in among and place not in found]
            found.update(new)
            waiting += new
        return found

    def is_ambiguous(self, loop: frozenset[int]) -> bool:
        """Tell whether one text leads through a loop in two ways."""
        if len(loop) > MOST_LOOPED or any(self.after[place].get(other, 0) > 1 for place in loop for other in loop):
            return True
        before: dict[tuple[int, int], list[tuple[int, int]]] = {}
        waiting = [(place, place) for place in loop]
        seen = set(waiting)
        for pair in waiting:  # which grows as it is gone through
            for left in self.after[pair[0]].keys() & loop:
                for right in self.after[pair[1]].keys() & loop:
                    if _overlap(self.sets[left], self.sets[right]):
                        before.setdefault((left, right), []).append(pair)
                        if (left, right) not in seen:
                            seen.add((left, right))
                            waiting.append((left, right))
        back = [(place, place) for place in loop]
        done = set(back)
        for pair in back:  # as above
            for other in before.get(pair, ()):
                if other[0] != other[1]:
                    return True
                if other not in done:
                    done.add(other)
                    back.append(other)
        return False

    def chain(self, loops: list[frozenset[int]]) -> int:
        """Give how many loops a text may pass through with each change of loop at any character."""
        longest: dict[frozenset[int], int] = {}
        for loop in reversed(self._in_order(loops)):
            beyond = [longest[other] for other in longest if self._may_change(loop, other)]
            longest[loop] = 1 + max(beyond, default=0)
        return max(longest.values(), default=0)

    def _in_order(self, loops: list[frozenset[int]]) -> list[frozenset[int]]:
        everything = range(len(self.sets))
        beyond = {loop: self._reached(min(loop), everything) for loop in loops}
        return sorted(loops, key=lambda loop: sum(min(other) in beyond[loop] for other in loops), reverse=True)

    def _may_change(self, loop: frozenset[int], other: frozenset[int]) -> bool:
        """Tell whether characters that both loops take lead from one to the other."""
        ours = [ranges for place in loop for ranges in self.sets[place]]
        theirs = [ranges for place in other for ranges in self.sets[place]]
        shared = [(max(a, c), min(b, d)) for a, b in ours for c, d in theirs if max(a, c) <= min(b, d)]
        passable = {place for place, ranges in enumerate(self.sets) if _overlap(ranges, shared)}
        return any(not other.isdisjoint(self._reached(place, passable)) for place in loop)


def _ranges(operator: Any, argument: Any) -> Ranges:
    match str(operator):
        case "LITERAL":
            return [(argument, argument)]
        case "NOT_LITERAL":
            return _others([(argument, argument)])
        case "IN":
            found = [_range(*item) for item in argument if str(item[0]) != "NEGATE"]
            if str(argument[0][0]) == "NEGATE":
                return _others(found)
            return found
        case _:
            return [(0, LAST)]


def _range(operator: Any, argument: Any) -> tuple[int, int]:
    match str(operator):
        case "LITERAL":
            return argument, argument
        case "RANGE":
            return argument[0], argument[1]
        case _:
            return 0, LAST


def _others(ranges: Ranges) -> Ranges:
    found: Ranges = []
    low = 0
    for first, last in sorted(ranges):
        if low < first:
            found.append((low, first - 1))
        low = max(low, last + 1)
    if low <= LAST:
        found.append((low, LAST))
    return found


def _holds(ranges: Ranges, character: int) -> bool:
    return any(low <= character <= high for low, high in ranges)


def _overlap(left: Ranges, right: Ranges) -> bool:
    return any(max(a, c) <= min(b, d) for a, b in left for c, d in right)
