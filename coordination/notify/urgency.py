"""How do urgencies compare?"""

RANKS = {"immediate": 0, "urgent": 1, "routine": 2}
NAMES = tuple(RANKS)


def rank(urgency: str) -> int:
    """0 for immediate, 1 for urgent, 2 for routine and for anything unknown."""
    return RANKS.get(urgency, 2)


def name(rank: int) -> str:
    """The urgency of a rank."""
    return NAMES[min(max(rank, 0), 2)]
