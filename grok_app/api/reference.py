"""The reference at `/docs`: the page that fastapi-offline would serve, with a policy of what a browser may do in it."""

from typing import Final

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse

from grok_app.page_policy import content_security_policy

REFERENCE: Final = "/docs"


def add_reference(app: FastAPI) -> None:
    """Serve the page. Its files come from `/docs/assets`."""
    assets = f"{REFERENCE}/assets"
    page = get_swagger_ui_html(
        openapi_url=str(app.openapi_url),
        title=f"{app.title} - Swagger UI",
        oauth2_redirect_url=None,
        swagger_js_url=f"{assets}/swagger-ui-bundle.js",
        swagger_css_url=f"{assets}/swagger-ui.css",
        swagger_favicon_url=f"{assets}/favicon.png",
    )
    html = bytes(page.body).decode()
    policy = {"content-security-policy": content_security_policy(html)}

    async def reference() -> HTMLResponse:
        return HTMLResponse(html, headers=policy)

    app.add_api_route(REFERENCE, reference, include_in_schema=False)
