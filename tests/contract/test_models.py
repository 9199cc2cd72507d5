"""`GET /v1/models`. Source: API contract, section 4."""

import openai
import pytest

from tests.servers import Gateway

TEXT_MODELS = [
    "grok-3",
    "grok-3-mini",
    "grok-3-thinking",
    "grok-4",
    "grok-4-mini",
    "grok-4-thinking",
    "grok-4-heavy",
    "grok-4.1-mini",
    "grok-4.1-fast",
    "grok-4.1-expert",
    "grok-4.1-thinking",
    "grok-4.20-beta",
]
MODELS = [*TEXT_MODELS, "grok-imagine-1.0", "grok-imagine-1.0-edit", "grok-imagine-1.0-video"]
PREFIXES = ["/v1", "/grok/v1"]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_models_are_listed_in_catalogue_order(gateway: Gateway, prefix: str) -> None:
    """Whoever lists the models gets Grok's, all of them, in the order of the contract, in OpenAI's shape."""
    listed = gateway.http.get(f"{prefix}/models").raise_for_status().json()

    assert listed.keys() == {"object", "data"}
    assert listed["object"] == "list"
    assert [model["id"] for model in listed["data"]] == MODELS
    for model in listed["data"]:
        assert model == {"id": model["id"], "object": "model", "created": model["created"], "owned_by": "xai"}
        assert isinstance(model["created"], int)


@pytest.mark.parametrize("model", MODELS)
def test_every_listed_model_can_be_retrieved(client: openai.OpenAI, model: str) -> None:
    """An id from the list leads to the model."""
    found = client.models.retrieve(model)

    assert (found.id, found.object, found.owned_by) == (model, "model", "xai")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_an_unknown_model_is_not_found(gateway: Gateway, prefix: str) -> None:
    """An id that is not in the list is a 404 that names it."""
    answer = gateway.http.get(f"{prefix}/models/gpt-4")

    assert answer.status_code == 404
    error = answer.json()["error"]
    assert error["type"] == "not_found_error"
    assert error["code"] == "model_not_found"
    assert error["message"] == "The model `gpt-4` does not exist or you do not have access to it."
