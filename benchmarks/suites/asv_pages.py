"""A program that lets the pages of ``asv publish`` work without a network.

The pages load nine scripts and a style sheet from content delivery networks. The same files are in npm packages. The
npm client fetches the packages once; they are checked and kept in a cache, and their files are copied next to the page.
"""

import argparse
import base64
import hashlib
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = "vendor"
# A tag that loads a file from another host, and the attributes that are only valid for that host.
LOADED = re.compile(r'<(?:script|link)\b[^>]*?\b(?:src|href)="(https://[^"]*/([^"/]+))"[^>]*>')
HOST_ATTRIBUTES = re.compile(r'\s(?:integrity|crossorigin|referrerpolicy)="[^"]*"')


class OfflineError(RuntimeError):
    """Raised when the pages still need a network; the message is the reason, on one line."""


@dataclass(frozen=True)
class Package:
    """An npm package.

    Args:
        name: name and version, as npm writes them.
        sha512: checksum of the archive in base64, as in npm's lock files.
        pages: paths of files that asv's page loads, by the last part of their addresses.
        others: paths of further files, to which the files in ``pages`` refer.
    """

    name: str
    sha512: str
    pages: Mapping[str, str]
    others: Sequence[str] = ()

    @property
    def folder(self) -> str:
        return self.name.partition("@")[0]

    @property
    def archive(self) -> str:
        return self.name.replace("@", "-") + ".tgz"


# The packages, in the versions that the page of asv 0.6 loads.
PACKAGES = (
    Package(
        "jquery@3.3.1",
        "Ubldcmxp5np52/ENotGxlLe6aGMvmF4R8S6tZjsP6Knsaxd/xp3Zrh50cG93lR6nPXyUFwzN3ZSOQI0wRJNdGg==",
        {"jquery-3.3.1.min.js": "dist/jquery.min.js"},
    ),
    Package(
        "flot@0.8.3",
        "xg2otcTJDvS+ERK+my4wxG/ASq90QURXtoM4LhacCq0jQW2jbyjdttbRNqU2cPykrpMvJ6b2uSp6SAgYAzj9tQ==",
        {f"jquery.flot{part}.min.js": f"jquery.flot{part}.js" for part in ("", ".time", ".selection", ".categories")},
    ),
    Package(
        "flot-orderbars@1.0.0",
        "Jv51fvzevUjNXEeozpwEKfPjhiZhfiJddv0WHjduUTCmSF+7T5K7C9c9Y1wIVmUhDBv5fLMjgbwKecT0GIKPZA==",
        {"jquery.flot.orderBars.js": "js/jquery.flot.orderBars.js"},
    ),
    Package(
        "stupid-table-plugin@1.1.3",
        "2Vk7XouQPxUQPRe9w0Fu7ZZ8kHLK7rDoLMsCgtKxRNJ7f4dSOGvW9CkHsq5wD6QsaEnWoyLBYH3xOEsrK3yWBg==",
        {"stupidtable.min.js": "stupidtable.min.js"},
    ),
    Package(
        "blueimp-md5@2.19.0",
        "DRQrD6gJyy8FbiE4s+bDoXS9hiW3Vbx5uCdwvcCf3zLHL+Iv7LtGHLpr+GZV8rHG8tK766FGYBwRbu8pELTt+w==",
        {"md5.min.js": "js/md5.min.js"},
    ),
    Package(
        "bootstrap@3.1.1",
        "TAzqS8E/ISpVHP29gYhy+1NSV+FJwApDVQhDfgLYsIuUDJiqJzH2DfORN5tiu+Ie2iBLrzEG34t4Rf465cigqg==",
        {"bootstrap.min.js": "dist/js/bootstrap.min.js", "bootstrap.min.css": "dist/css/bootstrap.min.css"},
        others=("dist/fonts/glyphicons-halflings-regular.woff",),
    ),
)


def npm_pack(package: Package, folder: Path) -> None:
    """Fetch a package's archive into ``folder`` with the npm client.

    Raises:
        OfflineError: when npm is not installed, or cannot fetch.
    """
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), package.name]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    except FileNotFoundError:
        raise OfflineError("npm is not installed; allowed: npm on the PATH, for the first time only") from None
    except (subprocess.SubprocessError, OSError):
        raise OfflineError(f"npm cannot fetch {package.name}; allowed: a network, for the first time only") from None


def make_offline(
    pages: Path,
    cache: Path,
    *,
    fetch: Callable[[Package, Path], None] = npm_pack,
    packages: Sequence[Package] = PACKAGES,
) -> int:
    """Copy the files that the page loads next to the page, let it load the copies, and return the number of files.

    Args:
        pages: the folder in which ``asv publish`` wrote its index.html.
        cache: the folder that keeps the archives.
        fetch: a function that puts the archive of a package into a folder.
        packages: the packages with the files.

    Raises:
        OfflineError: when there is no page, when it loads a file that no package has, or when an archive cannot be
            fetched or has another checksum. The page is unchanged then.
    """
    index = pages / "index.html"
    if not index.exists():
        raise OfflineError(f"{index} is missing; allowed: a folder that asv publish wrote")
    text = local_page(index.read_text(), packages)
    cache.mkdir(parents=True, exist_ok=True)
    for package in packages:
        archive = cache / package.archive
        if not archive.exists():
            fetch(package, cache)
        if hashlib.sha512(archive.read_bytes()).digest() != base64.b64decode(package.sha512):
            archive.unlink()
            raise OfflineError(f"{package.archive} has not the known checksum, and was deleted; allowed: npm's archive")
    for package in packages:
        _unpack(package, cache, pages / FOLDER / package.folder)
    index.write_text(text)
    return sum(len(package.pages) for package in packages)


def local_page(html: str, packages: Sequence[Package] = PACKAGES) -> str:
    """Return the page with the addresses of other hosts replaced by paths in ``FOLDER``.

    Raises:
        OfflineError: when a file is in none of the packages.
    """
    places = {name: f"{FOLDER}/{package.folder}/{path}" for package in packages for name, path in package.pages.items()}

    def local(tag: re.Match[str]) -> str:
        address, name = tag.groups()
        if name not in places:
            raise OfflineError(f"asv's page loads {name}, which is in no package; allowed: {', '.join(places)}")
        return HOST_ATTRIBUTES.sub("", tag[0].replace(address, places[name]))

    return LOADED.sub(local, html)


def _unpack(package: Package, cache: Path, folder: Path) -> None:
    with tarfile.open(cache / package.archive) as archive:
        for path in (*package.pages.values(), *package.others):
            content = archive.extractfile(f"package/{path}")
            assert content is not None  # the checksum guarantees that the file is there
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())


def main(argv: Sequence[str] | None = None) -> int:
    """Make the pages work without a network; return 0, or 2 if the pages still need a network."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suites.asv_pages", description=__doc__)
    parser.add_argument("pages", type=Path, help="the folder that asv publish wrote, .asv/html")
    parser.add_argument("--cache", type=Path, default=Path(".asv/npm"), help="keeps the archives (default: .asv/npm)")
    args = parser.parse_args(argv)
    try:
        count = make_offline(args.pages, args.cache)
    except OfflineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{args.pages / 'index.html'} needs no network any more: {count} files are copied next to it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
