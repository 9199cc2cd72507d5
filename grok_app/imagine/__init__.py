"""Pictures of a text, and changed pictures: a wish in, pictures out; retried over accounts until one is shown."""

from grok_app.imagine.edits import EditService
from grok_app.imagine.handing import image_usage
from grok_app.imagine.service import ImagineService
from grok_app.imagine.types import (
    Drawn,
    EditRequest,
    Form,
    ImagesRequest,
    ImageUsage,
    Picture,
    Pictures,
    Progress,
    Setback,
    Stage,
)

__all__ = [
    "Drawn",
    "EditRequest",
    "EditService",
    "Form",
    "ImageUsage",
    "ImagesRequest",
    "ImagineService",
    "Picture",
    "Pictures",
    "Progress",
    "Setback",
    "Stage",
    "image_usage",
]
