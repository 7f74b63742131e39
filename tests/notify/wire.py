"""Which channel does a test send by? One that answers what the test says."""

from __future__ import annotations

from coordination.notify.channels import Answer, Letter


class Wire:
    """A channel that answers what the test says, and keeps the letters."""

    def __init__(self, *, resend: bool) -> None:
        self.RESEND_UNKNOWN = resend
        self.letters: list[Letter] = []
        self.asked: list[str] = []
        self.answers: list[Answer] = []
        self.told: list[Answer] = []

    def is_set_up(self) -> bool:
        return True

    def send(self, letter: Letter) -> Answer:
        self.letters.append(letter)
        return self.answers.pop(0) if self.answers else Answer("sent", "ref")

    def ask(self, letter: Letter, reference: str) -> Answer:
        self.asked.append(reference)
        return self.told.pop(0) if self.told else Answer("unknown", reference)
