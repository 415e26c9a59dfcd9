"""A query's plan as an engine explains it, in as many lines as it takes; loaded with the first."""

from _thread import RLock
from time import monotonic_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from perftui.probes.agent.runtime import Agent

PLANS_TOLD = 2_000
PLAN_LETTERS = 20_000
PLAN_PIECE_BYTES = 3_500
"""Of a plan's text in one line, so that the line with its other fields fits the pipe."""


class Plans:
    """Which plans this process has told: each is told once."""

    def __init__(self, agent: "Agent") -> None:
        self._agent = agent
        self._lock = RLock()
        self._told: "set[int]" = set()

    def tell(
        self,
        name: str,
        text: str,
        filter: "str | None",
        numbers: "list[int | float | None]",
    ) -> None:
        """Tell a plan: a head, and the text in as many lines as it takes.

        Args:
            name: Of the query.
            text: The engine's EXPLAIN; what is too long is cut.
            filter: Where the filter takes place, None if it is not said.
            numbers: Columns read and needed, rows read and needed; None is unknown.
        """
        agent = self._agent
        if len(text) > PLAN_LETTERS:
            text = text[:PLAN_LETTERS] + "\n(the rest of this plan is left out)"
        where = "null" if filter is None else agent.quote(filter, 300)
        figures = ["null" if n.__class__ is not int else "%d" % n for n in numbers]
        told = hash((name, text, where, tuple(figures)))
        with self._lock:
            if told in self._told:
                return
            if len(self._told) >= PLANS_TOLD:
                agent.report("more than %d different plans: the others are not told" % PLANS_TOLD)
                return
            self._told.add(told)
            number = len(self._told)
        pieces = self._pieces(text)
        now = monotonic_ns()
        agent.emit(
            now,
            '{"k":"plan","t":%d,"pid":%d,"id":%d,"parts":%d,"name":%s,"filter":%s,'
            '"columns_read":%s,"columns_needed":%s,"rows_read":%s,"rows_needed":%s'
            % (now, agent.pid, number, len(pieces), agent.quote(name), where, *figures),
        )
        for part, piece in enumerate(pieces):
            agent.wire.send(
                '{"k":"plan_text","t":%d,"pid":%d,"id":%d,"part":%d,"text":%s'
                % (now, agent.pid, number, part, piece)
            )

    def _pieces(self, text: str) -> "list[str]":
        """Return a text as quoted pieces that each fit into a line."""
        quote = self._agent.quote
        pieces = []
        begin = taken = 0
        for at, letter in enumerate(text):
            code = ord(letter)
            plain = 0x20 <= code < 0x7F and letter not in '"\\'
            needs = 1 if plain else 6 if code < 0x10000 else 12
            if taken + needs > PLAN_PIECE_BYTES:
                pieces.append(quote(text[begin:at], PLAN_PIECE_BYTES + 1))
                begin, taken = at, 0
            taken += needs
        pieces.append(quote(text[begin:], PLAN_PIECE_BYTES + 1))
        return pieces
