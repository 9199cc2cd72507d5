"""Files of an account: uploaded, listed, deleted and downloaded.

Source: protocol notes, sections 3.1, 3.3 to 3.5 and 11.17. The refusals are INFERRED.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from itertools import islice
from typing import Any, Final
from urllib.parse import urlsplit

from grok_app.sandbox.accounts import Account
from grok_app.sandbox.exchange import Asked, Outcome
from grok_app.sandbox.media.library import Asset, File
from grok_app.sandbox.media_faults import AGAIN
from grok_app.sandbox.replies import RefusedError, Reply, json_reply, refusal
from grok_app.sandbox.state import Sandbox

MAX_UPLOAD_BYTES: Final = 50 * 1024 * 1024
MAX_NAME: Final = 255
MAX_PAGE: Final = 100
DEFAULT_PAGE: Final = 50
PUBLIC_FOLDER: Final = "imagine-public/images/"
_MIME: Final = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}(;[ -~]{0,100})?", re.ASCII)
_NO_ASSET: Final = refusal(404, 5, "Asset not found")


def decide_upload(sandbox: Sandbox, asked: Asked) -> Outcome:
    """Keep a file.

    Raises:
        RefusedError: A field is missing or malformed, the content is no base64, empty or too large.
    """
    name, mime = asked.fields.get("fileName"), asked.fields.get("fileMimeType")
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
        raise RefusedError(refusal(400, 3, f"fileName must be a string of 1 to {MAX_NAME} characters"))
    if not isinstance(mime, str) or not _MIME.fullmatch(mime):
        raise RefusedError(refusal(400, 3, "fileMimeType must be a media type"))
    asset = Asset(asked.account.token, name, {})
    path = f"users/{asked.account.user_id}/{asset.id}/content"
    asset.files[path] = File(_content(asked.fields.get("content")), mime)
    sandbox.library.add(asset)
    return json_reply({"fileMetadataId": asset.id, "fileMimeType": mime, "fileName": name, "fileUri": path})


def decide_list(sandbox: Sandbox, asked: Asked) -> Outcome:
    """One page of the account's assets, the most recently used first; `pageToken` is the id of the last one told.

    Raises:
        RefusedError: The page is malformed, or begins after an asset that is gone.
    """
    assets = sandbox.library.of(asked.account)
    start = _start(assets, asked.params.get("pageToken", ""))
    end = start + _page_size(asked.params.get("pageSize"))
    page = list(islice(assets, start, end))
    token = page[-1].id if page and end < len(assets) else ""
    return json_reply({"assets": [asset.as_json() for asset in page], "nextPageToken": token})


def decide_delete(sandbox: Sandbox, asked: Asked) -> Outcome:
    """Delete an asset of the account.

    Raises:
        RefusedError: It has none of that id.
    """
    if not sandbox.library.delete(asked.params["asset_id"], asked.account):
        raise RefusedError(_NO_ASSET)
    return json_reply({})


def decide_download(sandbox: Sandbox, asked: Asked) -> Outcome:
    """A file of the account; those of others are forbidden.

    Raises:
        RefusedError: It is somebody else's, or not there.
    """
    file = file_of(sandbox, asked.account, f"users/{asked.params['path']}")
    return Reply(200, file.content, file.content_type)


def find_public(sandbox: Sandbox, name: str) -> Reply:
    """A picture of the imagine socket, which anybody may download; a 404 if it isn't there."""
    file = sandbox.library.file(PUBLIC_FOLDER + name)
    return Reply(200, file.content, file.content_type) if file else _NO_ASSET


def file_of(sandbox: Sandbox, account: Account, url: str) -> File:
    """What an account refers to by a URL, on whatever host, or by a path.

    Raises:
        RefusedError: It is somebody else's, or not there.
    """
    path = path_of(url)
    if not path.startswith((f"users/{account.user_id}/", PUBLIC_FOLDER)):
        raise RefusedError(refusal(403, 7, "This file belongs to another account"))
    file = sandbox.library.file(path)
    if file is None:
        raise RefusedError(_NO_ASSET)
    return file


def path_of(url: str) -> str:
    """The path of an asset that is named by URL or by path, without a leading slash; empty when it is neither."""
    try:
        return urlsplit(url).path.lstrip("/")
    except ValueError:
        return ""


def check_attachments(sandbox: Sandbox, account: Account, ids: Any) -> None:
    """Look at the `fileAttachments` of a chat request.

    Raises:
        RefusedError: They aren't ids of the account's own assets.
    """
    if not isinstance(ids, list) or not all(isinstance(asset_id, str) for asset_id in ids):
        raise RefusedError(refusal(400, 3, "fileAttachments must be a list of strings"))
    for asset_id in ids:
        if sandbox.library.find(asset_id, account) is None:
            raise RefusedError(refusal(404, 5, f"File not found: {asset_id[:64]}"))


def _content(encoded: Any) -> bytes:
    if not isinstance(encoded, str):
        raise RefusedError(refusal(400, 3, "content must be a string"))
    try:
        content = b64decode(encoded, validate=True)
    except (Base64Error, ValueError):
        raise RefusedError(refusal(400, 3, "content must be base64 without a prefix")) from None
    if not content:
        raise RefusedError(refusal(400, 3, "content must not be empty"))
    if len(content) > MAX_UPLOAD_BYTES:
        raise RefusedError(refusal(413, 8, "The file is larger than 50 MiB"))
    return content


def _start(assets: list[Asset], token: str) -> int:
    if token in ("", AGAIN):
        return 0
    index = next((index for index, asset in enumerate(assets) if asset.id == token), None)
    if index is None:
        raise RefusedError(refusal(400, 3, "pageToken is not valid"))
    return index + 1


def _page_size(value: str | None) -> int:
    if value is None:
        return DEFAULT_PAGE
    if not re.fullmatch(r"[0-9]{1,4}", value) or not 0 < int(value) <= MAX_PAGE:
        raise RefusedError(refusal(400, 3, f"pageSize must be a number from 1 to {MAX_PAGE}"))
    return int(value)
