"""Keys of limits, meters and features as people read them."""

_WRITTEN = {"api": "API", "gb": "GB", "sql": "SQL", "emails": "e-mails"}


def label(key: str) -> str:
    """`api_calls_this_month` -> `API calls this month`."""
    words = " ".join(_WRITTEN.get(word, word) for word in key.split("_"))
    return words[:1].upper() + words[1:]
