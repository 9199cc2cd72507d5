"""What `/openapi.json` says of answers."""

from grok_app.api.app import create_routes

DOCUMENT = create_routes().openapi()


def test_every_error_is_json() -> None:
    """Of streams and files too, whatever their answers are."""
    for path, operations in DOCUMENT["paths"].items():
        for operation in operations.values():
            for status in ("4XX", "5XX"):
                assert list(operation["responses"][status]["content"]) == ["application/json"], path


def test_an_export_is_json_or_text() -> None:
    """As the request wants it."""
    answer = DOCUMENT["paths"]["/v1/admin/tokens/export"]["post"]["responses"]["200"]
    assert set(answer["content"]) == {"application/json", "text/plain"}


def test_figures_are_text() -> None:
    """In either of the forms that Prometheus asks for."""
    content = DOCUMENT["paths"]["/metrics"]["get"]["responses"]["200"]["content"]
    assert list(content) == ["text/plain", "application/openmetrics-text"]
