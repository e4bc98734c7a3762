"""The command and its process: what it loads, what it refuses before a port is open, how it ends."""

import concurrent.futures
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from wire import Line, ask, get, in_a_new_process, post, predict

from course_utils import bundles, surroundings
from course_utils.bundles.models import Majority
from course_utils.errors import CourseError
from course_utils.serving import server
from course_utils.serving.limits import Limits
from course_utils.serving.starting import Service

READY = re.compile(r"Serving (\S+) on (http://\S+) \(stop with Ctrl-C\)")
posix = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


def course(*arguments: str, **options) -> subprocess.Popen:
    command = surroundings.python("-m", "course_utils", *arguments)
    env = {**os.environ, "COLUMNS": "1000"}  # no sentence is folded
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, **options)


def refused(*arguments: str) -> str:
    """What the command says when it ends at once with status 2."""
    process = course("serve", *arguments)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 2 and out == ""
    assert "Traceback" not in error and error.count("\n") == 1, error
    return error


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def test_a_small_bundle_is_served_without_tensorflow(bundle):
    """In the very process that answers: it is asked from within what it has loaded."""
    said = in_a_new_process(
        bundle,
        'body, head = b\'{"texts": ["invoice"]}\', {"Content-Type": "application/json"}',
        'request = urllib.request.Request(url + "/v1/predict", body, head)',
        'print(json.load(urllib.request.urlopen(request))["answers"][0]["label"])',
        'urllib.request.urlopen(url + "/").read()',
        'print(loaded("tensorflow", "keras", "jax", "torch"))',
    )
    assert said[:2] == ["billing", "[]"]


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_told_to_stop(bundle, number):
    with course("serve", str(bundle), "--port", "0", start_new_session=True) as process:
        try:
            name, url = READY.fullmatch(process.stdout.readline().strip()).groups()
            assert name == "tickets" and url.startswith("http://127.0.0.1:")
            status, _, found = predict(url, {"texts": ["invoice"]})
            assert status == 200 and found["model"] == "tickets"
            process.send_signal(number)
            out, error = process.communicate(timeout=30)
            assert (process.returncode, out) == (0, "")
            assert "every request that was accepted has been answered" in error
        finally:
            process.kill()


def test_a_port_in_use_is_one_sentence(bundle):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"Port {port} of 127.0.0.1 is in use" in refused(str(bundle), "--port", str(port))


@pytest.mark.parametrize(("host", "words"), [("nowhere.invalid", "no address"), ("203.0.113.7", "Nothing can listen")])
def test_an_address_of_another_machine_is_refused(host, words):
    with pytest.raises(CourseError, match=words):
        server.listen(host, 0)


@pytest.mark.parametrize("fault", ["missing", "changed", "no_card", "no_json", "other_kind", "no_folder"])
def test_what_is_no_whole_bundle_opens_no_port(bundle, tmp_path, fault, free_port):
    copy = tmp_path / "copy"
    if fault != "no_folder":
        shutil.copytree(bundle, copy)
    if fault == "missing":
        (copy / "weights.npz").unlink()
    elif fault == "changed":
        with (copy / "weights.npz").open("r+b") as file:
            file.seek(100)
            file.write(b"?")
    elif fault == "no_card":
        (copy / "model.json").unlink()
    elif fault == "no_json":
        (copy / "model.json").write_text("{")
    elif fault == "other_kind":
        card = json.loads((copy / "model.json").read_text("utf-8"))
        (copy / "model.json").write_text(json.dumps(card | {"kind": "oracle"}))
    words = {"missing": "weights.npz", "changed": "sha256", "other_kind": "oracle"}.get(fault, "model.json")
    # The port is taken as well: whoever looked at it first would say so.
    with socket.create_server(("127.0.0.1", free_port)):
        said = refused(str(copy), "--port", str(free_port))
    assert words in said and "in use" not in said


def test_the_open_network_wants_a_key(bundle, tmp_path):
    assert "--api-key-file" in refused(str(bundle), "--host", "0.0.0.0", "--port", "0")
    for content in ("", "short", "two words that are long enough", "schlüssel-der-lang-genug-ist"):
        (tmp_path / "key").write_text(content, "utf-8")
        assert "at least 16" in refused(str(bundle), "--port", "0", "--api-key-file", str(tmp_path / "key"))
    assert "cannot be read" in refused(str(bundle), "--port", "0", "--api-key-file", str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("host", "alone"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.8.8.8", True), ("0.0.0.0", False), ("::", False),
     ("192.168.0.3", False), ("example.org", False), ("127.0.0.1.example.org", False), ("", False)],
)  # fmt: skip
def test_which_addresses_only_this_machine_reaches(host, alone):
    assert server.is_loopback(host) == alone


def test_a_key_is_asked_for_before_a_body_is_read(stand):
    key = "a-key-of-more-than-16-letters"
    url = stand(key=key).url
    assert predict(url, {"texts": ["a"]})[0] == 401
    for shown in ("", "Bearer", "Bearer ", "Basic " + key, "Bearer " + key[:-1], f"Bearer {key}x", "Bearer ü"):
        status, header, found = predict(url, {"texts": ["a"]}, Authorization=shown)
        assert status == 401 and header["www-authenticate"] == "Bearer" and key not in found["error"]
    assert predict(url, {"texts": ["a"]}, Authorization=f"Bearer {key}")[0] == 200
    assert predict(url, {"texts": ["a"]}, X_API_Key=key)[0] == 200
    with Line(url) as line:
        line.send(post("/v1/predict", b"", Content_Length="900000"))
        assert line.answer()[0] == 401
    for path in ("/healthz", "/readyz", "/", "/openapi.json", "/v2/health/live", "/v2/health/ready"):
        assert ask(url, get(path))[0] == 200
    for path in ("/metrics", "/v2", "/v2/models/stand", "/nix"):
        assert ask(url, get(path))[0] == 401


def test_a_full_queue_says_when_to_come_back(stand):
    url = stand(call=0.5, limits={"waiting": 3}).url
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda n: predict(url, {"texts": ["a" * n] * 2}), range(20)))
    statuses = [status for status, _, _ in found]
    assert set(statuses) == {200, 503}
    assert all(int(header["retry-after"]) >= 1 for status, header, _ in found if status == 503)
    assert predict(url, {"texts": ["a"] * 10})[0] == 200, "a large request is taken where nothing waits"


def test_a_model_that_takes_too_long(stand):
    url = stand(call=1.0, limits={"answer_seconds": 0.2}).url
    status, _, found = predict(url, {"texts": ["a"]})
    assert status == 504 and "in time" in found["error"]


def test_a_text_that_the_model_cannot_bear_harms_no_other(stand):
    child = stand(call=0.2)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        texts = ["abc", "fail", "abcd", "ab", "fail", "a", "abc", "ab"]
        found = list(pool.map(lambda text: predict(child.url, {"texts": [text]}), texts))
    assert [status for status, _, _ in found] == [500 if text == "fail" else 200 for text in texts]
    assert all("fail" not in answer["error"].removeprefix("The service failed") for s, _, answer in found if s == 500)
    log = child.log.read_text("utf-8")
    assert "ValueError in predict_proba" in log and "the text was" not in log


@pytest.mark.parametrize(("together", "least", "most"), [(32, 1, 16), (1, 32, 32)])
def test_requests_that_wait_share_a_call_where_they_may(stand, together, least, most):
    url = stand(call=0.05, limits={"together": together}).url
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        found = list(pool.map(lambda n: predict(url, {"texts": ["a" * (n % 2)]}), range(32)))
    for n, (status, header, answer) in enumerate(found):
        assert status == 200 and answer["answers"][0]["label"] == ("odd" if n % 2 else "even")
        assert "model;dur=" in header["server-timing"]
    metrics = ask(url, get("/metrics"))[2].decode()
    assert float(re.search(r"^course_items_total (\S+)", metrics, re.M)[1]) == 32
    assert least <= float(re.search(r"^course_batch_items_count (\S+)", metrics, re.M)[1]) <= most


@posix
@pytest.mark.parametrize("keep_alive", [True, False])
def test_what_was_accepted_is_answered_when_it_stops_under_load(stand, keep_alive):
    """Twelve clients ask without a pause; SIGTERM comes. Who is connected is answered; only connecting may fail."""
    child = stand(call=0.05, limits={"stop_seconds": 20.0})
    over = threading.Event()
    outcomes: list[str] = []

    def client(number: int) -> None:
        body = json.dumps({"texts": ["a" * number]}).encode()
        request = post("/v1/predict", body, **({} if keep_alive else {"Connection": "close"}))
        while not over.is_set():
            try:
                line = Line(child.url)
            except OSError:  # the port is closed: this one was not accepted
                return
            with line:
                while True:
                    try:
                        line.send(request)
                        status, header, _ = line.answer()
                        outcomes.append(str(status))
                    except OSError as error:
                        outcomes.append(f"lost: {error}")
                        return
                    if header.get("connection") == "close":
                        break

    threads = [threading.Thread(target=client, args=(number,)) for number in range(1, 13)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(1.0)
        os.kill(child.pid, signal.SIGTERM)
        for thread in threads:
            thread.join(30)
    finally:
        over.set()
    child.close(30)
    assert set(outcomes) == {"200"} and len(outcomes) > 24
    assert child.status == 0
    assert "every request that was accepted" in child.log.read_text("utf-8")


@posix
def test_a_request_in_a_long_call_and_one_half_sent_are_answered(stand):
    child = stand(call=1.0, limits={"stop_seconds": 20.0})
    body = b'{"texts": ["abc"]}'
    whole = post("/v1/predict", body)
    with Line(child.url) as asked, Line(child.url) as half, Line(child.url) as idle:
        asked.send(whole)
        half.send(whole[:-4])
        idle.send(get("/readyz"))
        assert idle.answer()[0] == 200
        time.sleep(0.3)
        os.kill(child.pid, signal.SIGTERM)
        time.sleep(0.3)
        with pytest.raises(OSError):
            Line(child.url)
        idle.send(get("/readyz"))  # the line was open before: told politely that this one is stopping
        assert idle.answer()[0] == 503
        half.send(whole[-4:])
        assert asked.answer()[0] == half.answer()[0] == 200
    child.close(20)
    assert child.status == 0


@posix
def test_it_ends_in_the_stated_time_and_says_what_was_given_up(stand):
    child = stand(call=6.0, limits={"stop_seconds": 1.0, "answer_seconds": 60.0})
    lines = [Line(child.url) for _ in range(3)]
    for line in lines:
        line.send(post("/v1/predict", b'{"texts": ["abc"]}'))
    time.sleep(0.5)
    start = time.monotonic()
    os.kill(child.pid, signal.SIGTERM)
    child.close(30)
    assert child.status == 1
    assert time.monotonic() - start < 5
    assert "not answered" in child.log.read_text("utf-8")


def test_it_ends_with_its_parent(bundle, tmp_path):
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom course_utils.serving.starting import Service\n"
        "service = Service(sys.argv[1], folder=Path(sys.argv[2]))\n"
        "print(service.url, flush=True)\ntime.sleep(60)"
    )
    command = surroundings.python("-c", code, str(bundle), str(tmp_path))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        url = parent.stdout.readline().strip()
        assert ask(url, get("/healthz"))[0] == 200
        parent.kill()
    deadline = time.monotonic() + 30
    while True:
        try:
            Line(url).socket.close()
        except OSError:
            break
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_service_from_python(bundle, tmp_path):
    with Service(bundle, folder=tmp_path) as service:
        assert service.name == "tickets" and re.fullmatch("[0-9a-f]{12}", service.version)
        found = predict(service.url, {"texts": ["password", "crash"]})[2]
        model = bundles.load_model(bundle)
        assert [one["label"] for one in found["answers"]] == model.predict(["password", "crash"])
        shares = model.predict_proba(["password"])[0]
        assert list(found["answers"][0]["probabilities"].values()) == pytest.approx(shares.tolist())
        assert service.stop() == 0
    with pytest.raises(CourseError, match=re.escape("model.json")):
        Service(tmp_path, folder=tmp_path / "other")


def test_a_majority_and_its_person(tmp_path):
    import numpy as np

    model = Majority(class_names=("a", "b"), shares=np.array([0.6, 0.4]), threshold=0.7)
    bundles.save(model, tmp_path / "model", decision={"threshold": 0.7, "limits": {}})
    with Service(tmp_path / "model", folder=tmp_path / "run") as service:
        assert service.name == tmp_path.name.strip("-._")
        _, _, found = predict(service.url, {"texts": ["x"]})
        assert found["answers"] == [{"label": None, "person": True, "probabilities": {"a": 0.6, "b": 0.4}}]
        tensor = {"name": "text", "shape": [1, 1], "datatype": "BYTES", "data": [["x"]]}
        body = json.dumps({"inputs": [tensor], "outputs": [{"name": "label"}]}).encode()
        _, _, found = ask(service.url, post(f"/v2/models/{service.name}/infer", body))
        assert found["outputs"] == [{"name": "label", "datatype": "BYTES", "shape": [1], "data": [""]}]


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), True, "many", None])
def test_a_limit_is_a_number_above_zero(value):
    with pytest.raises(CourseError, match="items"):
        Limits(items=value)


def test_the_programs_stand_in_nothing_that_is_imported_without_need():
    code = "import sys; from course_utils import cli; print([n for n in ('fastapi', 'uvicorn') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert done.stdout.strip() == "[]"
