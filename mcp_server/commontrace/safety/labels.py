"""What a text might do to an agent that reads it, or to a machine that runs it. Labels inform; they decide nothing."""

import re
from typing import Final

from commontrace.models.traces import Label

_RULES: Final[tuple[tuple[str, str, float, re.Pattern[str]], ...]] = tuple(
    (label, reason, score, re.compile(pattern, re.IGNORECASE))
    for label, reason, score, pattern in (
        (
            "injection",
            "tells the reader to drop its instructions",
            0.9,
            (
                r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|earlier|all|your|system)\b.{0,30}"
                r"\b(?:instructions?|prompts?|rules?|guidelines?|context)\b"
            ),
        ),
        (
            "injection",
            "speaks as the system",
            0.8,
            r"<\|?(?:im_start|system|assistant|endoftext)\|?>|\[/?INST\]|<<SYS>>",
        ),
        (
            "injection",
            "closes or opens a protocol tag",
            0.7,
            r"</?(?:tool_result|function_results?|system-reminder|antml:\w+|invoke|commontrace)\b",
        ),
        (
            "injection",
            "asks for secrecy from the user",
            0.8,
            r"\b(?:do not|don't|never)\b.{0,20}\b(?:tell|inform|mention|reveal|show)\b.{0,30}\b(?:the )?user\b",
        ),
        (
            "exfiltration",
            "sends local data elsewhere",
            0.7,
            r"\b(?:curl|wget|nc)\b[^\n]{0,200}(?:\$\(|`|@/|--data[^\n]{0,40}\.env|/etc/passwd|\.ssh/)",
        ),
        (
            "beacon",
            "an image that reports who reads it",
            0.4,
            r"!\[[^\]]{0,100}\]\(https?://[^)\s]{1,300}[?&][^)\s]{1,300}\)",
        ),
        (
            "risky command",
            "runs what it downloads",
            0.8,
            (
                r"\b(?:curl|wget)\b[^\n|]{0,300}\|\s{0,3}(?:sudo\s{1,3})?(?:ba|z|da|k)?sh\b"
                r"|\b(?:eval|source|sh -c)\b[^\n]{0,40}\$\((?:curl|wget)\b"
            ),
        ),
        (
            "risky command",
            "deletes a root or home folder",
            0.9,
            r"\brm\s+(?:-\w+\s+){1,4}(?:--no-preserve-root\s+)?(?:/|~/?|\$HOME/?|/\*|/(?:etc|usr|var|home|boot))(?=\s|$|;|&)",
        ),
        ("risky command", "opens files to everybody", 0.5, r"\bchmod\s+(?:-R\s+)?0?[67]{2}[67]\b"),
        (
            "risky command",
            "turns certificate checks off",
            0.5,
            (
                r"\bcurl\b[^\n]{0,100}\s(?:-k|--insecure)\b|NODE_TLS_REJECT_UNAUTHORIZED\s*=\s*[\"']?0|verify\s*=\s*False"
                r"|http\.sslVerify[ =]+false|GIT_SSL_NO_VERIFY|strict-ssl[ =]+false"
            ),
        ),
        ("risky command", "hands over the Docker engine", 0.5, r"docker\.sock"),
        ("risky command", "runs encoded text", 0.8, r"base64\s+(?:-d|--decode|-D)\b[^\n]{0,100}\|\s*(?:ba|z)?sh\b"),
        ("risky command", "a fork bomb", 0.9, r":\(\)\s*\{\s*:\s*\|\s*:\s*&\s*\}\s*;\s*:"),
        ("risky command", "rewrites shared history", 0.4, r"\bgit\s+push\b[^\n]{0,60}(?:--force\b(?!-with)|\s-f\b)"),
        ("risky command", "adds a login key", 0.8, r">>?\s*~?[^\s]{0,60}\.ssh/authorized_keys"),
        (
            "risky command",
            "overwrites a disk",
            0.9,
            r"\bdd\b[^\n]{0,100}\bof=/dev/(?:sd|nvme|disk)|\bmkfs\.\w+\s+/dev/",
        ),
    )
)


def labels_of(text: str) -> list[Label]:
    """Every label that fits, each once."""
    found = {(label, reason): score for label, reason, score, pattern in _RULES if pattern.search(text)}
    return [Label(label=label, reason=reason, score=score) for (label, reason), score in found.items()]
