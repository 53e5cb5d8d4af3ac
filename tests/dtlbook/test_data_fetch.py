"""The downloader against a server on this machine that cuts, lies, fails and counts."""

import errno
import functools
import hashlib
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dtlbook import data
from dtlbook.data import fetch

CONTENT = bytes(range(256)) * 4000  # 1 MB
CHECKSUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


class Server(ThreadingHTTPServer):
    """Serves CONTENT at /good; the other paths misbehave as their names say. ``asked`` holds (path, Range)."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.cut_at, self.wait = [], [], 0.0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.asked.append((self.path, asked))
        if self.server.wait:
            threading.Event().wait(self.server.wait)
        if self.path == "/gone":
            return self.send_error(404)
        body = b"something else" if self.path == "/tampered" else CONTENT
        if self.path == "/short":
            body = CONTENT[:-1]
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.path != "/no-ranges" else 0
        if start >= len(body):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        end = self.server.cut_at.pop(0) if self.server.cut_at else len(body)
        self.wfile.write(body[start:end])
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path):
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "127.0.0.1")
    monkeypatch.setenv("DTLBOOK_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(fetch, "PAUSE", 0.01)
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def offer(server, monkeypatch):
    """offer("good", …): the file set/file.bin lies at these paths of the server; gives its place."""

    def offer(*paths: str, checksum: str = CHECKSUM) -> Path:
        urls = tuple(path if path.startswith("http") else server.url(path) for path in paths)
        monkeypatch.setitem(fetch.FILES, "set/file.bin", fetch.Remote(urls, checksum))
        return data.data_folder() / "set/file.bin"

    return offer


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file()) if folder.exists() else []


def goes_on_at(asked: tuple[str, str], cut: int) -> bool:
    """Whether a request goes on where the transfer was cut, less at most one block."""
    return cut - fetch.CHUNK < int(asked[1].removeprefix("bytes=").removesuffix("-")) <= cut


@pytest.fixture
def real_data() -> Path:
    folder = Path(os.environ.get("DTLBOOK_DATA", "no folder"))
    if not (folder / "mnist").is_dir():
        pytest.skip("needs DTLBOOK_DATA with mnist")
    return folder


def test_a_missing_file_is_fetched_once_and_then_taken_from_the_folder(server, offer):
    place = offer("good")
    assert fetch.get("set/file.bin") == [place] and place.read_bytes() == CONTENT
    assert fetch.get("set/file.bin") == [place] and server.asked == [("/good", None)]
    assert files_in(data.data_folder()) == ["file.bin"]


def test_a_published_md5_is_checked_too(offer):
    place = offer("good", checksum=f"md5:{hashlib.md5(CONTENT).hexdigest()}")
    fetch.get("set/file.bin")
    assert place.read_bytes() == CONTENT
    place.unlink()
    offer("good", checksum=f"md5:{'0' * 32}")
    with pytest.raises(ValueError, match="another checksum"):
        fetch.get("set/file.bin")


def test_a_cut_transfer_goes_on_where_it_stopped(server, offer):
    place = offer("good")
    server.cut_at = [300_000, 700_000]
    fetch.get("set/file.bin")
    assert place.read_bytes() == CONTENT
    assert len(server.asked) == 3 and server.asked[0] == ("/good", None)
    assert goes_on_at(server.asked[1], 300_000) and goes_on_at(server.asked[2], 700_000)


def test_the_next_call_goes_on_where_the_last_one_gave_up(server, offer):
    place = offer("good")
    server.cut_at = [400_000] * (fetch.TRIES + 1)
    with pytest.raises(FileNotFoundError, match="no connection, or it broke"):
        fetch.get("set/file.bin")
    assert files_in(data.data_folder()) == [".file.bin.part"]
    server.asked.clear()
    server.cut_at = []
    fetch.get("set/file.bin")
    assert place.read_bytes() == CONTENT and len(server.asked) == 1 and goes_on_at(server.asked[0], 400_000)
    assert files_in(data.data_folder()) == ["file.bin"]


def test_a_server_without_ranges_is_read_from_the_start(server, offer):
    place = offer("no-ranges")
    server.cut_at = [300_000]
    fetch.get("set/file.bin")
    assert place.read_bytes() == CONTENT and len(server.asked) == 2


def test_an_old_part_of_another_file_is_thrown_away(server, offer):
    place = offer("good")
    place.parent.mkdir(parents=True)
    for old in (b"x" * 1000, b"x" * (len(CONTENT) + 5)):  # the second lies beyond the end: answer 416
        place.with_name(".file.bin.part").write_bytes(old)
        fetch.get("set/file.bin")
        assert place.read_bytes() == CONTENT and files_in(data.data_folder()) == ["file.bin"]
        place.unlink()


@pytest.mark.parametrize("path", ["tampered", "short"])
def test_a_wrong_file_is_not_kept(server, offer, path):
    place = offer(path)
    with pytest.raises(ValueError) as caught:
        fetch.get("set/file.bin")
    sentence = str(caught.value)
    assert "\n" not in sentence and "another checksum" in sentence and str(place) in sentence
    assert files_in(data.data_folder()) == [] and not place.parent.exists()


def test_mirrors_are_tried_in_order(server, offer):
    place = offer("gone", "tampered", "good", "never")
    fetch.get("set/file.bin")
    assert place.read_bytes() == CONTENT
    assert [path for path, _ in server.asked] == ["/gone", "/tampered", "/good"]


def test_offline_gives_one_sentence_with_what_where_from_and_where_to(offer):
    place = offer("http://127.0.0.1:9/file.bin")  # nobody listens there
    with pytest.raises(FileNotFoundError) as caught:
        fetch.get("set/file.bin")
    sentence = str(caught.value)
    assert "\n" not in sentence and "set/file.bin is not in the data folder" in sentence
    assert "get it from http://127.0.0.1:9/file.bin" in sentence and f"put it at {place}" in sentence
    assert files_in(data.data_folder()) == []


def test_every_mirror_that_failed_is_named(server, offer):
    offer("gone", "tampered")
    with pytest.raises(ValueError, match=r"/gone: answer 404; .*/tampered sent a file with another checksum"):
        fetch.get("set/file.bin")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_gives_one_sentence_and_leaves_nothing(offer):
    place = offer("good")
    place.parent.mkdir(parents=True)
    place.with_name(".file.bin.part").symlink_to("/dev/full")  # every write fails with ENOSPC
    with pytest.raises(OSError, match="the disk is full: set/file.bin was not stored") as caught:
        fetch.get("set/file.bin")
    assert caught.value.errno == errno.ENOSPC and "\n" not in str(caught.value)
    assert not place.parent.exists()


def test_a_folder_that_cannot_be_written_gives_one_sentence(offer, tmp_path):
    (tmp_path / "data").write_text("a file where the folder should be")
    offer("good")
    with pytest.raises(OSError, match=r"set/file.bin cannot be written to .*set DTLBOOK_DATA") as caught:
        fetch.get("set/file.bin")
    assert "\n" not in str(caught.value)


def test_two_processes_at_once_fetch_once(server):
    server.wait = 0.5
    program = (
        "import sys; from dtlbook.data import fetch\n"
        f"fetch.FILES['set/file.bin'] = fetch.Remote(({server.url('good')!r},), {CHECKSUM!r})\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print(fetch.get('set/file.bin')[0].stat().st_size)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(fetch.__file__).parents[2])}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0 and int(out) == len(CONTENT), err
    assert server.asked == [("/good", None)]


def test_one_bar_counts_the_bytes_of_all_files(server, offer, monkeypatch, capfd):
    import tqdm.auto
    import tqdm.std

    # a plain bar, also where the suite has turned bars off
    monkeypatch.setattr(tqdm.auto, "tqdm", functools.partial(tqdm.std.tqdm, disable=False))
    offer("good")
    monkeypatch.setitem(fetch.FILES, "set/other.bin", fetch.Remote((server.url("good"),), CHECKSUM))
    fetch.get("set/file.bin", "set/other.bin")
    last = capfd.readouterr().err.split("\r")[-1]
    assert last.count("\n") == 1 and last.startswith("set:") and "1.95M/1.95M" in last


def test_every_pin_is_a_whole_checksum_over_the_web():
    for path, remote in fetch.FILES.items():
        kind, digest = remote.checksum.split(":")
        assert len(bytes.fromhex(digest)) == {"sha256": 32, "md5": 16}[kind], path
        assert remote.urls and all(url.startswith(("https://", "http://ufldl.")) for url in remote.urls), path
        assert all(url.endswith("/" + Path(path).name) for url in remote.urls), path


def test_the_pins_are_those_of_the_official_files_that_are_here(real_data):
    """train-images may have been packed again: its content is compared in test_data_readers."""
    for name in ("train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        digest = hashlib.sha256((real_data / f"mnist/{name}-ubyte.gz").read_bytes()).hexdigest()
        assert fetch.FILES[f"mnist/{name}-ubyte.gz"].checksum == f"sha256:{digest}"
