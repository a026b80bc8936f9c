"""What labels look for, as data. Every repeat is bounded, so that a text costs what its length is."""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
    """What to look for, what it is called, why, and how telling it is (0 to 1)."""

    label: str
    reason: str
    score: float
    keywords: tuple[str, ...]  # lower-case; one must occur before the pattern is tried
    pattern: re.Pattern[str]

    def fits(self, text: str, lowered: str) -> bool:
        """Whether it is in a text, which is also given in lower case."""
        return any(keyword in lowered for keyword in self.keywords) and bool(self.pattern.search(text))


def _rules(label: str, *rows: tuple[str, float, str, str]) -> tuple[Rule, ...]:
    return tuple(
        Rule(label, reason, score, tuple(keywords.split()), re.compile(pattern, re.IGNORECASE | re.MULTILINE))
        for reason, score, keywords, pattern in rows
    )


RULES: Final = (
    *_rules(
        "injection",
        (
            "tells the reader to drop its instructions",
            0.9,
            "ignore disregard forget override",
            (
                r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|earlier|all|your|system)\b.{0,30}"
                r"\b(?:instructions?|prompts?|rules?|guidelines?|context)\b"
            ),
        ),
        (
            "speaks as the system",
            0.8,
            "im_ system assistant endoftext user| header_id eot_id inst] <sys>",
            (
                r"<\|?(?:im_start|im_end|system|assistant|endoftext)\|?>|<\|(?:user|start_header_id|eot_id)\|>"
                r"|(?-i:\[/?INST\])|<<SYS>>"
            ),
        ),
        (
            "speaks for both sides of a chat",
            0.5,
            "human: assistant: system:",
            r"\n[ \t]{0,8}\n(?:Human|Assistant|System): ",
        ),
        (
            "closes or opens a protocol tag",
            0.7,
            "tool_result function_ system-reminder antml: invoke commontrace <<<end",
            (
                r"</?(?:tool_result|function_results?|function_calls|system-reminder|antml:\w+|invoke|commontrace)\b"
                r"|<<<(?:end|commontrace)\b"
            ),
        ),
        (
            "asks for secrecy from the user",
            0.8,
            "user",
            r"\b(?:do not|don't|never)\b.{0,20}\b(?:tell|inform|mention|reveal|show)\b.{0,30}\b(?:the )?user\b",
        ),
    ),
    *_rules(
        "exfiltration",
        (
            "sends local data elsewhere",
            0.7,
            "curl wget nc",
            (
                r"\b(?:curl|wget|nc)\b[^\n]{0,120}(?:(?:\$\(|`)(?:cat|env|printenv|base64|tar|gzip|head)\b|@[/~]"
                r"|--data[^\n]{0,40}\.env|/etc/passwd|\.ssh/)"
            ),
        ),
    ),
    *_rules(
        "beacon",
        (
            "an image that reports who reads it",
            0.4,
            "![",
            r"!\[[^\]]{0,100}\]\(https?://[^)\s?&]{1,300}[?&][^)\s]{1,300}\)",
        ),
    ),
    *_rules(
        "risky command",
        (
            "runs what it downloads",
            0.8,
            "curl wget",
            (
                r"\b(?:curl|wget)\b[^\n|]{0,300}\|\s{0,3}(?:sudo\s{1,3})?(?:ba|z|da|k)?sh\b"
                r"|\b(?:eval|source|sh -c)\b[^\n]{0,40}\$\((?:curl|wget)\b"
            ),
        ),
        (
            "deletes a root or home folder",
            0.9,
            "rm",
            (
                r"\brm\s{1,9}(?:-\w+\s{1,9}){1,4}(?:--no-preserve-root\s{1,9})?"
                r"(?:/|~/?|\$HOME/?|/\*|/(?:etc|usr|var|home|boot))(?=\s|$|;|&)"
            ),
        ),
        ("opens files to everybody", 0.5, "chmod", r"\bchmod\s{1,9}(?:-R\s{1,9})?0?[67]{2}[67]\b"),
        (
            "turns certificate checks off",
            0.5,
            "curl reject_unauthorized verify strict-ssl",
            (
                r"\bcurl\b[^\n]{0,100}\s(?:(?-i:-k)|--insecure)\b|NODE_TLS_REJECT_UNAUTHORIZED\s{0,3}=\s{0,3}[\"']?0"
                r"|\bverify\s{0,3}=\s{0,3}False|http\.sslVerify[ =]{1,3}false|GIT_SSL_NO_VERIFY"
                r"|strict-ssl[ =]{1,3}false"
            ),
        ),
        ("hands over the Docker engine", 0.5, "docker.sock", r"docker\.sock"),
        (
            "runs encoded text",
            0.8,
            "base64",
            r"base64\s{1,9}(?:-d|--decode|-D)\b[^\n|]{0,100}\|\s{0,3}(?:sudo\s{1,3})?(?:ba|z)?sh\b",
        ),
        ("a fork bomb", 0.9, ":()", r":\(\)\s{0,9}\{\s{0,9}:\s{0,9}\|\s{0,9}:\s{0,9}&\s{0,9}\}\s{0,9};\s{0,9}:"),
        ("rewrites shared history", 0.4, "push", r"\bgit\s{1,9}push\b[^\n]{0,60}(?:--force\b(?!-with)|\s-f\b)"),
        ("adds a login key", 0.8, "authorized_keys", r">>?[ \t]{0,9}~?[^\s]{0,60}\.ssh/authorized_keys"),
        (
            "overwrites a disk",
            0.9,
            "/dev/",
            r"\bdd\b[^\n]{0,100}\bof=/dev/(?:sd|nvme|disk)|\bmkfs\.\w{2,9}\s{1,9}/dev/",
        ),
    ),
)
