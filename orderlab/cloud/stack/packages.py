"""The deployment packages of a template: zipped and uploaded, as a deploy does before it creates anything."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from ..functions import package
from .template import TemplateError

PACKAGES = "orderlab-packages"  # the bucket that a deploy would upload to


def upload(template: dict[str, Any], folder: Path, s3: Any) -> dict[str, Any]:
    """Upload each CodeUri's zip and point the functions to it."""
    places = [template.get("Globals", {}).get("Function", {})]
    places += [r.get("Properties", {}) for r in template["Resources"].values() if "Function" in str(r.get("Type"))]
    uploaded: dict[str, str] = {}
    for place in places:
        uri = place.get("CodeUri")
        if not isinstance(uri, str) or uri.startswith("s3://"):
            continue
        if uri not in uploaded:
            zipped = _zip(template, uri, folder)
            if not uploaded:
                s3.create_bucket(Bucket=PACKAGES)
            uploaded[uri] = f"{uri.strip('/.') or 'package'}.zip"
            s3.put_object(Bucket=PACKAGES, Key=uploaded[uri], Body=zipped)
        place["CodeUri"] = f"s3://{PACKAGES}/{uploaded[uri]}"
    return template


def _zip(template: dict[str, Any], uri: str, folder: Path) -> bytes:
    try:
        contents = package.files(template.get("Metadata") or {}, uri, folder)
    except package.PackageError as error:
        raise TemplateError(str(error)) from None
    return _cached_zip(tuple((name, path, path.stat().st_mtime_ns) for name, path in contents.items()))


@lru_cache(maxsize=8)
def _cached_zip(files: tuple[tuple[str, Path, int], ...]) -> bytes:
    return package.build({name: path for name, path, _ in files})
