"""Images, sounds and files in the shapes of providers, read to one form that each provider can write. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_DATA_URL: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,(.+)", re.DOTALL)
_WEB: Final = ("https://", "http://")

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Media:
    """What a part shows: base64 `data`, a `url`, a plain `text`, or a file that its `home` keeps."""

    kind: Literal["image", "audio", "file"]
    mime: str = ""
    data: str = ""
    url: str = ""
    text: str = ""
    name: str = ""
    file_id: str = ""
    home: str = ""

    @property
    def data_url(self) -> str:
        """The data with its type in one address, or the address that it has."""
        return f"data:{self.mime};base64,{self.data}" if self.data else self.url


def read_media(part: Raw) -> Media | None:
    """What a part shows; None where it is no media, or lacks what a provider needs."""
    reader = _READERS.get(part.get("type", "")) if isinstance(part.get("type"), str) else None
    return reader(part) if reader else None


def marker(media: Media) -> str:
    """A few words in place of what a provider cannot be shown: `[image image/png, 12 kB]`."""
    size = f"{-(-len(media.data) * 3 // 4000)} kB" if media.data else ""
    about = ", ".join(word for word in (media.name, media.mime, size, media.url, media.file_id) if word)
    return f"[{media.kind}{' ' if about else ''}{about}]"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _field(part: Raw, name: str) -> Raw:
    value = part.get(name)
    return value if isinstance(value, Mapping) else {}


def _from_data(kind: Literal["image", "audio", "file"], mime: Any, data: Any, name: Any = "") -> Media | None:
    complete = _text(mime) and _BASE64.fullmatch(_text(data))
    return Media(kind, _text(mime), data, name=_text(name)) if complete else None


def _from_url(kind: Literal["image", "audio", "file"], url: Any, name: Any = "") -> Media | None:
    inline = _DATA_URL.fullmatch(_text(url))
    if inline:
        return _from_data(kind, inline[1], inline[2], name)
    return Media(kind, url=url, name=_text(name)) if _text(url).startswith(_WEB) else None


def _kept(kind: Literal["image", "audio", "file"], file_id: Any, home: str, name: Any = "") -> Media | None:
    return Media(kind, file_id=file_id, home=home, name=_text(name)) if _text(file_id) else None


def _chat_image(part: Raw) -> Media | None:
    return _from_url("image", _field(part, "image_url").get("url"))


def _responses_image(part: Raw) -> Media | None:
    return _from_url("image", part.get("image_url")) or _kept("image", part.get("file_id"), "openai")


def _openai_audio(part: Raw) -> Media | None:
    audio = _field(part, "input_audio")
    known = audio.get("format") in {"wav", "mp3"}
    return _from_data("audio", f"audio/{audio['format']}", audio.get("data")) if known else None


def _openai_file(part: Raw) -> Media | None:
    file = _field(part, "file") if part["type"] == "file" else part
    name = file.get("filename")
    found = _from_url("file", file.get("file_data"), name) or _from_url("file", file.get("file_url"), name)
    return found or _kept("file", file.get("file_id"), "openai", name)


def _anthropic(part: Raw) -> Media | None:
    source = _field(part, "source")
    kind: Literal["image", "file"] = "image" if part["type"] == "image" else "file"
    name = part.get("title")
    match source.get("type"):
        case "base64":
            return _from_data(kind, source.get("media_type"), source.get("data"), name)
        case "url":
            return (
                Media(kind, url=source["url"], name=_text(name)) if _text(source.get("url")).startswith(_WEB) else None
            )
        case "file":
            return _kept(kind, source.get("file_id"), "anthropic", name)
        case "text" if kind == "file" and _text(source.get("data")).strip():
            return Media(kind, "text/plain", text=source["data"], name=_text(name))
    return None


def _gemini_data(part: Raw) -> Media | None:
    blob = _field(part, "inlineData")
    mime = _text(blob.get("mimeType"))
    kind = mime.partition("/")[0]
    return _from_data("image" if kind == "image" else "audio" if kind == "audio" else "file", mime, blob.get("data"))


def _gemini_file(part: Raw) -> Media | None:
    file = _field(part, "fileData")
    mime, uri = _text(file.get("mimeType")), file.get("fileUri")
    return (
        Media("image" if mime.startswith("image/") else "file", mime, file_id=uri, home="gemini")
        if uri and _text(uri)
        else None
    )


_READERS: Final[dict[str, Callable[[Raw], Media | None]]] = {
    "image_url": _chat_image,
    "input_image": _responses_image,
    "input_audio": _openai_audio,
    "file": _openai_file,
    "input_file": _openai_file,
    "image": _anthropic,
    "document": _anthropic,
    "inline_data": _gemini_data,
    "file_data": _gemini_file,
}
