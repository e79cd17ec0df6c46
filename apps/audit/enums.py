"""Choices of the trail."""

from django.db.models import TextChoices


class Part(TextChoices):
    """Whose personal data a detail holds: each can be shredded without the other."""

    ACTOR = "actor", "Actor"
    SUBJECT = "subject", "Subject"


class Verdict(TextChoices):
    """What a verification found; the worst counts."""

    INTACT = "intact", "Intact"
    BROKEN = "broken", "Broken"
    MISMATCH = "mismatch", "Not as anchored"
