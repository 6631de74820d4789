"""File names that strangers chose, made safe to write, to link and to look at."""

from __future__ import annotations

import unicodedata

LONGEST_STEM_BYTES = 120
FALLBACK_STEM = "file"
NEUTRAL_EXTENSION = ".bin"

# What a browser or a desktop shows but never runs. Anything else (.html and .svg first of all)
# gets NEUTRAL_EXTENSION on top, so that no server and no browser takes it for a live page.
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".avif", ".heic", ".tiff"})
RECORDINGS = frozenset({".mp4", ".mov", ".webm", ".mkv", ".mp3", ".ogg", ".wav", ".flac", ".m4a"})
TEXTS = frozenset(
    {".txt", ".log", ".md", ".csv", ".json", ".ini", ".cfg", ".conf", ".toml", ".yml"}
)
DOCUMENTS = frozenset({".yaml", ".pdf", ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".rtf"})
ARCHIVES = frozenset({".zip", ".7z", ".rar", ".gz", ".tgz", ".tar", ".xz", ".zst", ".bin", ".dmp"})
HARMLESS_EXTENSIONS = PICTURES | RECORDINGS | TEXTS | DOCUMENTS | ARCHIVES

# Windows opens the device, whatever extension follows.
RESERVED_STEMS = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))]
)


def safe_filename(name: str) -> str:
    """A name of letters, digits, `-`, `_` and `.`, for any file system, ending harmlessly."""
    cleaned = _cleaned(name.replace("\\", "/").rpartition("/")[2])
    stem, dot, extension = cleaned.rpartition(".")
    if not dot:
        stem, extension = cleaned, ""
    suffix = f".{extension.lower()}" if extension else ""
    if suffix not in HARMLESS_EXTENSIONS:
        stem, suffix = cleaned, NEUTRAL_EXTENSION
    return _usable_stem(stem) + suffix


def _cleaned(name: str) -> str:
    """Only letters, marks, digits and `-_.`: no controls, no bidi marks, no URL syntax."""
    kept = (_cleaned_character(character) for character in unicodedata.normalize("NFC", name))
    return "".join(kept).strip("._-")


def _cleaned_character(character: str) -> str:
    if character in "-_." or unicodedata.category(character)[0] in "LMN":
        return character
    invisible = unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"}
    return "" if invisible else "_"


def _usable_stem(stem: str) -> str:
    short = stem.encode()[:LONGEST_STEM_BYTES].decode(errors="ignore").strip("._-")
    if short.partition(".")[0].casefold() in RESERVED_STEMS:
        return f"_{short}"
    return short or FALLBACK_STEM
