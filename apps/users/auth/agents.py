"""What a browser calls itself, in a few words."""

# The first that is named wins: Edge and Opera call themselves Chrome, too, and Chrome calls itself Safari.
_BROWSERS = {"Edg": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "FxiOS/": "Firefox", "CriOS/": "Chrome",
             "Chrome/": "Chrome", "Safari/": "Safari", "curl/": "curl"}  # fmt: skip
_SYSTEMS = {"iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows", "Mac OS X": "macOS",
            "CrOS": "ChromeOS", "Linux": "Linux"}  # fmt: skip


def called(user_agent: str) -> str:
    """`Chrome on Linux`; what neither is known of as it stands, and `unknown browser` where nothing was said."""
    browser = next((name for mark, name in _BROWSERS.items() if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS.items() if mark in user_agent), "")
    return " on ".join(filter(None, [browser, system])) or user_agent or "unknown browser"
