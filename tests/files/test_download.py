"""Files are downloaded over real HTTP from the sandbox: once, whole, checked; every fault has its sentence."""

import io
import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from icdframes.errors import (
    ComparabilityWarning,
    ConnectionFailedError,
    EntityNotFoundError,
    ExportError,
    FileFormatError,
    OfflineMissError,
    ServerError,
)
from icdframes.files import download
from icdframes.files.download import ReleaseFiles
from icdframes.sandbox import Sandbox
from icdframes.transport import file_download

PATH = "/static/releasefiles/2024-01/SimpleTabulation-ICD-11-MMS-en.zip"


@pytest.fixture(scope="module")
def served():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def server(served):
    served.clear_faults()
    served.clear_log()
    return served


@pytest.fixture
def files(server, tmp_path):
    with_server = ReleaseFiles(tmp_path / "files", server.url, timeout=(2, 2), retries=2)
    yield with_server
    with_server.close()


def left_in(files):
    """Name what is in the folder, apart from the memory of what exists."""
    return sorted(path.name for path in files.root.rglob("*") if path.is_file() and path.name != "exists.json")


def zip_of(text):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.txt", text)
    return file.getvalue()


def test_a_file_is_downloaded_once_with_its_record(files, server):
    file = files.get(PATH)
    assert zipfile.ZipFile(file.path).namelist()[0] == "SimpleTabulation-ICD-11-MMS-en.txt"
    assert files.get(PATH) == file
    assert [(one.method, one.path, one.has_token) for one in server.log] == [("GET", PATH, False)]
    assert file.record.url == server.url + PATH
    assert file.record.n_bytes == file.path.stat().st_size
    assert file.path.parent.stat().st_mode & 0o077 == 0
    assert files.downloads() == (file,)


def test_an_unchanged_file_is_not_sent_again(files, server):
    file = files.get(PATH)
    assert files.get(PATH, refresh=True) == file
    assert [one.status for one in server.log] == [200, 304]


def test_a_download_that_breaks_off_is_taken_up_where_it_ended(files, server):
    server.fail(PATH, cut_body=5000)
    file = files.get(PATH)
    assert [one.status for one in server.log] == [200, 206]
    assert zipfile.ZipFile(file.path).testzip() is None
    assert file.record.sha256 == ReleaseFiles(files.root.with_name("other"), server.url).get(PATH).record.sha256


def test_the_rest_of_another_file_is_not_joined(files, server):
    whole = zip_of("another file " * 9999)
    server.fail(PATH, cut_body=5000)
    server.fail(PATH, status=200, body=whole)
    assert files.get(PATH).path.read_bytes() == whole


def test_a_rest_that_does_not_fit_is_thrown_away(files, server):
    wanted = files.get(PATH).path.read_bytes()
    files.clear()
    server.clear_log()
    server.fail(PATH, cut_body=5000)
    server.fail(PATH, body=zip_of("another file " * 9999))
    assert files.get(PATH).path.read_bytes() == wanted
    assert [one.status for one in server.log] == [200, 206, 200]


FAULTS = {
    "cut": ({"cut_body": 900}, ConnectionFailedError, r"No complete answer from 127\.0\.0\.1:\d+: "),
    "closed": ({"close": True}, ConnectionFailedError, r"No complete answer .* try again"),
    "page": ({"body": "<p>log in", "content_type": "text/html"}, ServerError, "web page instead of the file.*mirror"),
    "page-as-zip": ({"body": "\n<!DOCTYPE html><p>"}, ServerError, "web page instead of the file"),
    "absent": ({"status": 404}, EntityNotFoundError, "does not exist on this server"),
    "broken": ({"status": 500}, ServerError, "answered with status 500"),
    "slow": ({"delay": 2.5}, ConnectionFailedError, "did not answer in time"),
    "torn": ({"body": zip_of("x" * 999)[:-30]}, FileFormatError, "no whole .zip archive.*nothing was kept"),
    "no-zip": ({"body": "Foundation URI\tCode"}, FileFormatError, "no whole .zip archive.*Try again"),
    "damaged": ({"body": zip_of("x" * 999).replace(b"xxx", b"xyx", 1)}, FileFormatError, r"damaged \(x.txt in it\)"),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_sentence_and_leaves_nothing(fault, files, server):
    how, error, words = FAULTS[fault]
    server.fail(PATH, times=None, **how)
    with pytest.raises(error, match=words):
        files.get(PATH)
    assert left_in(files) == []
    server.clear_faults()
    assert files.get(PATH).record.n_bytes > 9999


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_leaves_what_was_there(fault, files, server):
    file = files.get(PATH)
    before = left_in(files)
    server.fail(PATH, times=None, **{"status": 200, "body": zip_of("y" * 9999)} | FAULTS[fault][0])
    with pytest.raises(FAULTS[fault][1]):
        files.get(PATH, refresh=True)
    assert left_in(files) == before
    assert files.get(PATH) == file


def test_a_passing_fault_is_waited_out(files, server):
    server.fail(PATH, status=503, headers={"Retry-After": "0"})
    files.get(PATH)
    assert [one.status for one in server.log] == [503, 200]


def test_a_full_disk_is_named_and_nothing_is_left(files):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    files.root.mkdir(parents=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9000, hard))
    try:
        with pytest.raises(ExportError, match=r"could not be written: File too large.*cache_dir; nothing was left"):
            files.get(PATH)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert left_in(files) == []


def test_ctrl_c_leaves_nothing_and_says_so(files):
    def stopped(*_args):
        raise KeyboardInterrupt

    target = files.root / "x.zip"
    files.root.mkdir(parents=True)
    with pytest.raises(KeyboardInterrupt, match="interrupted; nothing was left behind, and the same call begins it"):
        files._downloader.fetch(PATH, target, download.check_zip, report=stopped)
    assert left_in(files) == []


def test_more_than_any_file_of_who_is_not_read(files, server, monkeypatch):
    monkeypatch.setattr(file_download, "LARGEST_FILE", 20_000)
    with pytest.raises(ServerError, match="answered with more than"):
        files.get(PATH)
    assert left_in(files) == []


def test_an_archive_that_unpacks_to_too_much_is_not_kept(files, monkeypatch):
    monkeypatch.setattr("icdframes.files.delimited.LARGEST_UNPACKED", 20_000)
    with pytest.raises(FileFormatError, match="refused unread"):
        files.get(PATH)
    assert left_in(files) == []


def test_a_changed_file_is_told(files, server):
    before = files.get(PATH).record.sha256
    server.fail(PATH, status=200, body=zip_of("new"))
    with pytest.warns(ComparabilityWarning, match=rf"has changed since .* before {before}\)"):
        after = files.get(PATH, refresh=True)
    assert after.record.sha256 != before
    assert files.get(PATH) == after


def test_a_file_that_was_pruned_and_has_changed_is_told_too(files, server):
    files.get(PATH).path.unlink()
    server.fail(PATH, body=zip_of("new"))
    with pytest.warns(ComparabilityWarning, match="has changed since"):
        files.get(PATH)


def test_a_file_that_is_not_the_known_one_is_told(files, monkeypatch):
    monkeypatch.setitem(download.KNOWN_SHA256, PATH, "0" * 64)
    with pytest.warns(ComparabilityWarning, match=r"is not the file that is known under this name .* known is 0{64}"):
        files.get(PATH)


def test_offline_answers_from_the_folder_only(files, server):
    offline = ReleaseFiles(files.root, server.url, offline=True)
    with pytest.raises(OfflineMissError, match="ask for it once without offline=True"):
        offline.get(PATH)
    file = files.get(PATH)
    server.clear_log()
    assert offline.get(PATH, refresh=True) == file
    assert offline.exists(PATH)
    assert not offline.exists(PATH.replace("-en", "-es"))
    assert server.log == []


def test_what_exists_is_asked_once_a_day(files, server, monkeypatch):
    assert files.exists(PATH)
    assert not files.exists(PATH.replace("2024", "2025"))
    server.fail(PATH, content_type="text/html")
    assert not files.exists(PATH, refresh=True)
    assert [one.method for one in server.log] == ["HEAD"] * 3
    assert not files.exists(PATH)
    tomorrow = download.time.time() + 90_000
    monkeypatch.setattr(download.time, "time", lambda: tomorrow)
    assert files.exists(PATH)
    assert len(server.log) == 4


def test_a_damaged_memory_is_no_error(files):
    file = files.get(PATH)
    (files.folder / "exists.json").write_text("[")
    file.path.with_name(file.path.name + ".json").write_text("{}")
    assert files.exists(PATH)
    assert files.get(PATH).record.sha256 == file.record.sha256


def test_prune_removes_what_was_not_used(files):
    file = files.get(PATH)
    now = datetime.now(UTC)
    files.prune(now - timedelta(days=90), file.record.n_bytes)
    assert files.downloads() == (file,)
    files.prune(now - timedelta(days=90), file.record.n_bytes - 1)
    assert files.downloads() == ()
    file = files.get(PATH)
    files.prune(now + timedelta(days=1))
    assert files.downloads() == ()
    assert json.loads(file.path.with_name(file.path.name + ".json").read_text())["sha256"] == file.record.sha256


SCRIPT = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from icdframes.files.download import ReleaseFiles
file = ReleaseFiles(Path(sys.argv[1]), sys.argv[2]).get(sys.argv[3])
print(file.record.sha256)
"""


@pytest.mark.slow
def test_two_processes_at_once_both_have_the_whole_file(server, tmp_path):
    server.fail(PATH, delay=0.5, times=2)
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), server.url, PATH]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = {process.communicate()[0] for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert len(said) == 1
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith(".tmp")]
