"""The API for pictures: which there are of a submission, and each of them."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response

from grader.services.figures.pictures import Picture, list_pictures, read_picture
from grader.storage.people.keys import ApiKey
from grader.web.deps import Deps, get_deps, get_key
from grader.web.schemas import PicturesShape, problem_responses
from grader.web.submissions import names_tag, read_permitted

router = APIRouter(prefix="/api/v1", tags=["pictures"])

_HEADERS = {
    "Cache-Control": "private, no-cache",
    # An SVG opened by itself is a document: it loads nothing and runs nothing.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}


@router.get(
    "/submissions/{submission_id}/pictures",
    response_model=PicturesShape,
    responses=problem_responses(401, 403, 404, 422, 503),
)
def get_pictures(
    *,
    submission_id: str,
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    key: Annotated[ApiKey, Depends(get_key)],
) -> dict[str, Any]:
    """Which pictures there are: a grid for each latent size, and the curve of errors beside the class."""

    def href(name: str) -> str:
        return str(request.app.url_path_for("get_picture", submission_id=submission_id, name=name))

    pictures = list_pictures(read_permitted(deps, key, submission_id))
    return {
        "pictures": [
            {
                "name": picture.name,
                "kind": picture.kind,
                "latentDim": picture.latent_dim,
                "mediaType": picture.media_type,
                "href": href(picture.name),
            }
            for picture in pictures
        ]
    }


@router.get(
    "/submissions/{submission_id}/pictures/{name}",
    response_class=Response,
    responses={
        200: {"content": {"image/png": {}, "image/svg+xml": {}}, "description": "The picture"},
        304: {"description": "Unchanged"},
        **problem_responses(401, 403, 404, 422, 503),
    },
)
def get_picture(
    *,
    submission_id: str,
    name: str,
    deps: Annotated[Deps, Depends(get_deps)],
    key: Annotated[ApiKey, Depends(get_key)],
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """One picture. No held-out image is in it; of a class, quartiles of five students or more."""
    report = read_permitted(deps, key, submission_id)
    picture, data = read_picture(deps.database, deps.blobs, report, name)
    return picture_response(picture, data, if_none_match)


def picture_response(picture: Picture, data: bytes, if_none_match: str | None) -> Response:
    """A picture, or that the caller has it already."""
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {**_HEADERS, "ETag": tag}
    if if_none_match is not None and names_tag(if_none_match, tag):
        return Response(status_code=304, headers=headers)
    return Response(data, 200, headers, media_type=picture.media_type)
