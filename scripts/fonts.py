"""Cuts the fonts of the back office to what its pages show, into static/backoffice/fonts.

django-unfold's package has them whole: Inter with all its scripts, and every symbol of Material Symbols. A page needs
the Latin letters of three weights and a few hundred symbols, a tenth of the bytes. Other scripts still come from
the whole files: `unicode-range` in steward.css fetches those when a page holds such a letter.

Needed only when a symbol is added to static/backoffice/fonts/icons.txt; fontTools is not among the dependencies:

    .venv/bin/python -m uv run --no-project --with fonttools --with brotli scripts/fonts.py
"""

import importlib.util
import string
from pathlib import Path

try:
    from fontTools import subset
    from fontTools.ttLib import TTFont
except ModuleNotFoundError:
    raise SystemExit(f"fontTools is not here. Run it so:\n{__doc__.rpartition('dependencies:')[2]}") from None

ROOT = Path(__file__).resolve().parent.parent
OURS = ROOT / "static" / "backoffice" / "fonts"
# Latin with its accents, punctuation, currencies, arrows and the signs that pages use; as in steward.css.
LETTERS = [*range(0x250), *range(0x2BB, 0x2BD), *range(0x2000, 0x2070), *range(0x20A0, 0x20C1), *range(0x2190, 0x21FF),
           0x2212, 0x2215, 0x221E, 0x2260, 0x2264, 0x2265, 0x25B2, 0x25BC, 0xFEFF, 0xFFFD]  # fmt: skip


def theirs() -> Path:
    """Where django-unfold keeps its fonts, in the project's environment."""
    found = importlib.util.find_spec("unfold")
    if found is not None and found.origin:
        return Path(found.origin).parent / "static" / "unfold" / "fonts"
    return next(ROOT.glob(".venv/lib/python3*/site-packages/unfold/static/unfold/fonts"))


def written(font: TTFont, options: subset.Options, cutter: subset.Subsetter, name: str) -> None:
    cutter.subset(font)
    options.flavor = "woff2"
    subset.save_font(font, str(OURS / name), options)
    print(f"{name}: {(OURS / name).stat().st_size:,} bytes")


def letters(weight: str) -> None:
    options = subset.Options()
    options.layout_features = ["kern", "mark", "mkmk", "ccmp", "locl", "calt", "tnum", "cv05", "ss03"]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=LETTERS)
    written(TTFont(theirs() / "inter" / f"Inter-{weight}.woff2"), options, cutter, f"Inter-{weight}.woff2")


def _drawn(font: TTFont) -> dict[str, str]:
    """The glyph of each symbol by its name, the older names too: as the ligatures say."""
    letter = {glyph: chr(code) for code, glyph in font.getBestCmap().items()}
    found = {}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            for first, ligatures in getattr(getattr(table, "ExtSubTable", table), "ligatures", {}).items():
                for one in ligatures:
                    found["".join(letter.get(part, "?") for part in [first, *one.Component])] = one.LigGlyph
    return found


def symbols(names: set[str]) -> None:
    """A symbol is a ligature of the letters of its name: those of other names are dropped with their glyphs."""
    font = TTFont(theirs() / "material-symbols" / "Material-Symbols-Outlined.woff2")
    drawn = _drawn(font)
    if missing := sorted(names - set(drawn)):
        raise SystemExit(f"no such symbols: {', '.join(missing)}")
    spelled = {font.getBestCmap()[ord(letter)] for letter in string.ascii_lowercase + string.digits + "_"}
    options = subset.Options()
    options.layout_closure = False
    options.layout_features = ["liga", "rlig"]
    options.glyph_names = False
    cutter = subset.Subsetter(options)
    cutter.populate(glyphs=sorted({drawn[name] for name in names} | spelled))
    written(font, options, cutter, "Symbols.woff2")


if __name__ == "__main__":
    for each in ("Regular", "Medium", "SemiBold"):
        letters(each)
    symbols(set((OURS / "icons.txt").read_text().split()))
