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
            "ignore disregard forget override overlook bypass dismiss neglect attention follow obey",
            (
                r"\b(?:ignore|disregard|forget|override|overlook|bypass|dismiss|neglect|pay no attention to|(?:do"
                r" not|don't|stop) (?:follow|obey)(?:ing)?)\b"
                r".{0,40}\b(?:previous|prior|above|earlier|all|your|system|preceding|existing|original|my|these"
                r"|any)\b.{0,30}"
                r"\b(?:instructions?|prompts?|rules?|guidelines?|context|directives?|commands?|orders?|programming"
                r"|training|constraints?|restrictions?|messages?)\b"
                r"|\b(?:ignore|disregard|forget|overlook)\b.{0,20}\b(?:every?thing|all that|anything"
                r"|what)\b.{0,20}\b(?:you|told|said|been|above|before)\b"
                r"|\bignore the function and\b"
            ),
        ),
        (
            "tells the reader to drop its instructions",
            0.9,
            (
                "ignora ignorez ignoriere oubliez vergiss olvida esquece dimentica \u5ffd\u7565 \u5ffd\u89c6"
                " \u65e0\u89c6 \u7121\u8996"
                " \u0438\u0433\u043d\u043e\u0440\u0438\u0440 \u0437\u0430\u0431\u0443\u0434 \ubb34\uc2dc"
            ),
            (
                r"\b(?:ignora|ignorez|ignoriere|oubliez|vergiss|olvida|esque\w+|dimentica)\w{0,4}\b.{0,40}"
                r"\b(?:instruc\w+|istruzioni|instru\w+|anweisung\w*|befehl\w*|consignes|reglas|regeln|fonction"
                r"|funci\w+)"
                "|(?:\u5ffd\u7565|\u5ffd\u89c6|\u65e0\u89c6).{0,12}(?:\u6307\u4ee4|\u6307\u793a|\u8bf4\u660e"
                "|\u63d0\u793a)|\u6307\u793a.{0,6}\u7121\u8996|\uc9c0\uc2dc.{0,8}\ubb34\uc2dc"
                "|(?:\u0438\u0433\u043d\u043e\u0440\u0438\u0440"
                "|\u0437\u0430\u0431\u0443\u0434)\\w*.{0,40}(?:\u0438\u043d\u0441\u0442\u0440\u0443\u043a\u0446"
                "|\u043f\u0440\u0430\u0432\u0438\u043b)"
            ),
        ),
        (
            "speaks to the model that reads it",
            0.7,
            "ai llm assistant agent model chatbot",
            (
                r"\b(?:you,? (?:the|an|as an) (?:ai|llm|assistant|language model|agent)\b|(?:dear|attention,?|hey"
                r"|note to(?: the)?|message (?:for|to)(?: the)?) (?:ai|llm|assistant|agent|language model)s?\b"
                r"|if you(?:'re| are) an? (?:ai|llm|assistant|language model|agent)\b|(?:ai|llm) (?:assistants?"
                r"|agents?|models?) (?:must|should|shall|are required)\b"
                r"|you are (?:now|no longer) (?:an? |the )?(?:\w+ ){0,3}(?:ai|assistant|model|agent|chatbot|bound)\b)"
            ),
        ),
        (
            "puts the reader into another mode",
            0.7,
            "mode jailbreak pretend",
            (
                r"\b(?:enter|enable|activate|switch to|now in|you(?:'re| are) in)\b.{0,20}\b(?:developer|debug"
                r"|admin|god|override|maintenance|system|dan|unrestricted|sudo) mode\b"
                r"|\boverride[_ ]mode\b|\bjailbreak(?:ed|ing)?\b.{0,40}\b(?:you|model|assistant)\b|\bpretend"
                r" (?:that )?you(?:'re| are)\b.{0,60}\b(?:ai|no (?:rules|restrictions|filters?)|unrestricted)\b"
                r"|\b(?:no|without(?: any)?) (?:special )?(?:filter(?:ing|s)?|restrictions?|content"
                r" polic\w+)\b.{0,30}\b(?:ai|model|assistant)\b"
            ),
        ),
        (
            "gives the reader another task",
            0.6,
            "following instead new your important before important!!!",
            (
                r"\bbefore you (?:can )?(?:solve|continue|proceed|answer|respond|complete|start"
                r"|do)\b.{0,80}\b(?:first|must|need to|please do)\b"
                r"|\b(?:do|execute|perform|follow) the following (?:first|instead|instructions?)\b|\bstrictly"
                r" (?:adhere to|follow) the following\b"
                r"|\b(?:your|here are your|here is your) (?:new|real|actual|true|only) (?:task|goal|instructions?"
                r"|mission|objective)s?\b"
                r"|\binstead,? (?:please )?(?:do the following|execute|output|respond with|reply with|say)\b|(?:^"
                r"|\n)\W{0,5}new (?:system )?instructions?:"
                r"|\bimportant (?:message|instruction)s? (?:from|for|to) (?:me|the|you)\b"
            ),
        ),
        (
            "asks for what the reader keeps to itself",
            0.6,
            "prompt your password instructions",
            (
                r"\b(?:reveal|show|print|repeat|output|tell me|give me|share|disclose|what(?:'s| is| are|\s+were)"
                r"|display|leak|confirm|decode)\b.{0,40}"
                r"\b(?:(?:your|the) (?:system|hidden|initial|original|secret) (?:prompt|instructions?|message|key"
                r"|password|rules)|your (?:password|secret|instructions|system prompt|credentials)"
                r"|our (?:system )?password|the password (?:for|to|of) (?:our|the|this) system)\b"
            ),
        ),
        (
            "poses as somebody in charge",
            0.6,
            "developer administrator creator audit",
            (
                r"\b(?:i am|i'm|this is) (?:your|the|an?) (?:developer|administrator|admin|creator|system"
                r" administrator|openai|anthropic)\b.{0,120}\b(?:need|audit|confirm|require|reveal|must|override)\b"
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
            "user anyone secret",
            (
                r"\bwithout (?:telling|informing|notifying|asking|alerting) the (?:user|human|developer)\b"
                r"|\b(?:keep this|do this) (?:secret|hidden|silently|secretly)\b.{0,40}\b(?:user|human|anyone)\b"
                r"|\b(?:do not|don't|never)\b.{0,20}\b(?:tell|inform|mention|reveal|show)\b.{0,30}\b(?:the )?user\b"
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
        (
            "a link that carries what the reader knows",
            0.6,
            "](http src= href=",
            (
                r"(?:\]\(|(?:src|href)=[\"']?)https?://[^)\s\"'>]{1,200}[?&/=][^)\s\"'>]{0,60}(?:\{\{|%7B%7B|\$\{"
                r"|<[a-z_ ]{3,30}>|\[[A-Z_ ]{4,30}\]"
                r"|\{(?:conversation|history|secret|token|data|context|prompt|user)\w{0,20}\})"
            ),
        ),
        (
            "an element of a page that calls home",
            0.4,
            "<img <iframe <script <object <embed <link",
            (
                r"<(?:img|iframe|script|object|embed|link)\s[^<>]{0,200}(?:src|href"
                r"|data)\s{0,3}=\s{0,3}[\"']?(?:https?:)?//[^\s\"'<>]{1,300}[?&][^\s\"'<>]{1,300}"
            ),
        ),
    ),
)
