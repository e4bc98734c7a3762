"""What of a chapter's Markdown is prose: code, mathematics, HTML and addresses blanked out, line for line."""

import re


def blank(match: re.Match) -> str:
    """As many line ends as the match had, and spaces for the rest: lines and columns stay."""
    return re.sub(r"[^\n]", " ", match[0])


def without_fences(text: str) -> str:
    """Markdown without its fenced blocks of code."""
    return re.sub(r"^(```|~~~).*?^\1[^\n]*$", blank, text, flags=re.MULTILINE | re.DOTALL)


def prose(text: str) -> str:
    """Markdown with code, mathematics, HTML tags and the addresses of links blanked out, line for line."""
    text = without_fences(text)
    for pattern in (
        r"``.+?``|`[^`\n]+`",
        r"\$\$.+?\$\$",
        r"\$[^$\n]+\$",
        r"<[^<>\n]+>",
        r"(?<=\])\([^()\s]*(?:\([^()]*\))?[^()]*\)",
    ):
        text = re.sub(pattern, blank, text, flags=re.DOTALL)
    return text


def code_lines(text: str) -> int:
    """Lines of code: empty ones and comments do not count against an author."""
    return sum(1 for line in text.split("\n") if line.strip() and not line.strip().startswith("#"))
