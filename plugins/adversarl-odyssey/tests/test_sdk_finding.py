import importlib
import os
import subprocess
import sys

import pytest
from adversarl_odyssey import sdk
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.options import ServiceOptions
from adversarl_odyssey.sdk import SERVICE, SdkMissing, api_key, find_sdk, hide, is_loopback, service_url

HERE, THERE = "http://127.0.0.1:8765", SERVICE
SECRET = "ody_this_is_the_secret_0123456789"
INSTALL = "pip install git+https://github.com/odysseyml/odyssey-python.git"
OLD = sys.version_info < (3, 12)


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """``packages(source, name, version)`` puts a module `odyssey` on the path, from a distribution if it is named."""
    path = tmp_path / "site"
    path.mkdir()

    def put(source=None, name=None, version="1.0.2"):
        if source is not None:
            (path / "odyssey").mkdir()
            (path / "odyssey" / "__init__.py").write_text(source)
        if name is not None:
            info = path / f"{name.replace('-', '_')}-{version}.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")

    put(None, "adversarl-odyssey", "0.1.0")
    for name in [name for name in sys.modules if name.partition(".")[0] == "odyssey"]:
        monkeypatch.delitem(sys.modules, name)
    others = [entry for entry in sys.path if not _has_sdk(entry)]
    monkeypatch.setattr(sys, "path", [str(path), *others])
    finders = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower() or not _finds(finder)]
    monkeypatch.setattr(sys, "meta_path", finders)
    importlib.invalidate_caches()
    yield put
    for name in [name for name in sys.modules if name.partition(".")[0] == "odyssey"]:
        del sys.modules[name]


def _has_sdk(entry):
    return os.path.isdir(os.path.join(entry, "odyssey"))


def _finds(finder):
    return finder.find_spec("odyssey", None) is not None


GOOD = "__version__ = '1.3.0'\nclass Odyssey: ...\nclass AdvancedConfig: ...\n"


def test_the_sdk_is_taken_wherever_it_is_installed(packages):
    packages(GOOD, "odyssey", "1.3.0")
    for kind, url in [("auto", HERE), ("auto", THERE), ("sdk", HERE)]:
        found = find_sdk(kind, url)
        assert (found.name, found.version, found.Odyssey.__module__) == ("sdk", "1.3.0", "odyssey")
        assert found.AdvancedConfig.__name__ == "AdvancedConfig"


def test_without_the_sdk_our_client_speaks_to_this_machine(packages):
    for kind in ("auto", "thin"):
        found = find_sdk(kind, HERE)
        assert found.name == "thin"
        assert found.Odyssey.__module__ == "adversarl_odyssey.thin.client"
        assert found.AdvancedConfig(max_retries=1, queue_timeout_s=2).queue_timeout_s == 2


@pytest.mark.parametrize(("kind", "url"), [("auto", THERE), ("sdk", HERE)])
def test_a_missing_sdk_says_how_to_install_it(packages, kind, url):
    with pytest.raises(SdkMissing) as caught:
        find_sdk(kind, url)
    needs = "The SDK needs Python 3.12 or newer: make an environment with it and run" if OLD else "Run"
    assert str(caught.value) == f"Odyssey: the SDK is not installed. {needs}: {INSTALL}"


@pytest.mark.parametrize(("python", "needs"), [((3, 11, 7), True), ((3, 12, 0), False)])
def test_an_old_python_is_named_as_the_reason(packages, monkeypatch, python, needs):
    monkeypatch.setattr(sdk.sys, "version_info", python)
    with pytest.raises(SdkMissing) as caught:
        find_sdk("sdk", THERE)
    assert ("needs Python 3.12 or newer" in str(caught.value)) is needs


def test_the_thin_client_is_refused_for_the_service_itself(packages):
    with pytest.raises(OdysseyError, match=r"thin client is for emulators on this machine, and https://api.odyssey.ml"):
        find_sdk("thin", THERE)


@pytest.mark.parametrize("name", ["odyssey", "lovell-odyssey"])
def test_another_distribution_of_that_name_is_named(packages, name, monkeypatch):
    monkeypatch.setattr(sdk, "PYTHON", (3, 11))
    packages("def workspace(): ...\n", name)
    with pytest.raises(OdysseyError) as caught:
        find_sdk("sdk", THERE)
    text = str(caught.value)
    assert "is something else than Odyssey's SDK, which is not on PyPI" in text
    assert f"installed: {name} 1.0.2" in text
    assert f"Run: pip uninstall -y {name} && {INSTALL}" in text
    assert find_sdk("auto", HERE).name == "thin"


def test_two_strangers_are_removed_together(packages, monkeypatch):
    monkeypatch.setattr(sdk, "PYTHON", (3, 11))
    packages("", "odyssey")
    packages(None, "lovell-odyssey", "0.1")
    with pytest.raises(OdysseyError, match="pip uninstall -y odyssey lovell-odyssey && "):
        find_sdk("sdk", THERE)


def test_the_empty_shell_on_pypi_is_named(packages, monkeypatch):
    monkeypatch.setattr(sdk, "PYTHON", (3, 11))
    packages(None, "odyssey-sdk", "0.0.1")
    with pytest.raises(SdkMissing, match=r"odyssey-sdk 0.0.1 is something else.*uninstall -y odyssey-sdk && pip"):
        find_sdk("sdk", THERE)


def test_a_file_of_ones_own_in_the_way_is_named_with_its_place(packages, tmp_path):
    packages("my_robot = 1\n")
    with pytest.raises(OdysseyError) as caught:
        find_sdk("sdk", THERE)
    assert str(tmp_path / "site" / "odyssey" / "__init__.py") in str(caught.value)
    assert "Move or rename it." in str(caught.value)
    assert "uninstall" not in str(caught.value)


def test_a_folder_of_that_name_is_no_sdk(packages, tmp_path):
    (tmp_path / "site" / "odyssey").mkdir()
    with pytest.raises(OdysseyError, match="is something else than Odyssey's SDK"):
        find_sdk("sdk", THERE)


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("type Callback = int | = str\n", "SyntaxError"),
        ("import a_package_that_nobody_has\n", "No module named 'a_package_that_nobody_has'"),
        ("raise RuntimeError('no camera')\n", "RuntimeError: no camera"),
        ("raise SystemExit(3)\n", "SystemExit: 3"),
        (f"raise RuntimeError('{SECRET}')\n", "RuntimeError: .hidden."),
    ],
)
def test_an_sdk_that_cannot_be_imported_says_why(packages, source, cause):
    packages(source, "odyssey", "1.3.0")
    with pytest.raises(OdysseyError, match=f"'odyssey' cannot be imported under Python 3.*{cause}") as caught:
        find_sdk("sdk", THERE)
    assert INSTALL in str(caught.value)
    assert SECRET not in str(caught.value)
    assert find_sdk("auto", HERE).name == "thin"


@pytest.mark.skipif(not OLD, reason="needs a Python whose syntax the SDK does not fit")
def test_the_sdk_under_an_old_python_asks_for_a_newer_one(packages):
    packages(f"type Callback = object\n{GOOD}", "odyssey", "1.3.0")
    with pytest.raises(OdysseyError, match=r"under Python 3.11 \(SyntaxError.*needs Python 3.12 or newer") as caught:
        find_sdk("sdk", THERE)
    assert "uninstall" not in str(caught.value)


def test_an_sdk_without_settings_is_too_old(packages):
    packages("class Odyssey: ...\n")
    with pytest.raises(OdysseyError, match=r"has no AdvancedConfig.*--upgrade"):
        find_sdk("sdk", THERE)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:1", True),
        ("http://127.9.9.9", True),
        ("http://localhost:8765", True),
        ("http://LOCALHOST.", True),
        ("http://[::1]:8765", True),
        ("http://emulator.localhost", True),
        ("http://0.0.0.0:1", False),
        ("https://api.odyssey.ml", False),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://192.168.0.4", False),
        ("", False),
    ],
)
def test_only_addresses_of_this_machine_are_its_own(url, here):
    assert is_loopback(url) is here


def test_the_address_comes_from_the_recipe_or_the_environment_or_is_odysseys(monkeypatch):
    monkeypatch.delenv("ODYSSEY_API_URL", raising=False)
    assert service_url(ServiceOptions()) == SERVICE
    monkeypatch.setenv("ODYSSEY_API_URL", f"{HERE}/")
    assert service_url(ServiceOptions()) == HERE
    assert service_url(ServiceOptions(api_url="https://other.example")) == "https://other.example"


@pytest.mark.parametrize(
    "url", ["api.odyssey.ml", "ws://a", "http://", "http://a:99999", "http://me:word@a", "http://a?key=1", "http://[1"]
)
def test_what_is_no_address_is_refused(monkeypatch, url):
    with pytest.raises(OdysseyError, match=r"api_url is '.*', which is no address of a service. Write") as caught:
        service_url(ServiceOptions(api_url=url))
    assert "word" not in str(caught.value)
    monkeypatch.setenv("ODYSSEY_API_URL", url)
    with pytest.raises(OdysseyError, match="ODYSSEY_API_URL is"):
        service_url(ServiceOptions())


def test_the_key_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("ODYSSEY_API_KEY", f" {SECRET}\n")
    assert api_key() == SECRET


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_key_says_what_to_do(monkeypatch, value):
    monkeypatch.delenv("ODYSSEY_API_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("ODYSSEY_API_KEY", value)
    with pytest.raises(OdysseyError, match=r"ODYSSEY_API_KEY is not set. Export your key.*adversarl odyssey serve"):
        api_key()


@pytest.mark.parametrize("value", [f"{SECRET} {SECRET}", f"{SECRET}\nx", "schlüssel", f"{SECRET}\x07"])
def test_what_can_be_no_key_is_refused_without_being_quoted(monkeypatch, value):
    monkeypatch.setenv("ODYSSEY_API_KEY", value)
    with pytest.raises(OdysseyError, match="signs that no key has") as caught:
        api_key()
    assert value not in str(caught.value)


def test_keys_and_tokens_are_hidden(monkeypatch):
    monkeypatch.setenv("ODYSSEY_API_KEY", "an-unusual-key")
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzZXNzaW9uX2lkIjoiMSJ9.c2lnbmF0dXJl"
    text = f"an-unusual-key {SECRET} {token} ws://a/client/1?token=abc&x=1 'Bearer abc.def'"
    hidden = hide(text)
    assert hidden == "(key) (hidden) (hidden) ws://a/client/1?token=(hidden)&x=1 'Bearer (hidden)'"


def test_a_text_without_secrets_stays_as_it_is(monkeypatch):
    monkeypatch.delenv("ODYSSEY_API_KEY", raising=False)
    assert hide("odyssey says: eye of the body_x") == "odyssey says: eye of the body_x"


def test_the_plugin_lists_without_importing_clients():
    code = (
        "import sys; sys.argv = ['adversarl', 'plugins', 'list', '--json']\n"
        "from adversarl.cli import main\n"
        "try: main()\n"
        "finally: print(sorted({'odyssey', 'aiortc', 'aiohttp', 'av', 'cv2'} & set(sys.modules)), file=sys.stderr)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert '"odyssey"' in result.stdout
    assert result.stderr.strip().endswith("[]")


def test_finding_the_sdk_and_naming_troubles_import_no_client():
    code = "import sys, adversarl_odyssey.sdk, adversarl_odyssey.troubles, adversarl_odyssey.doctor\n"
    code += "print({'odyssey', 'aiortc', 'aiohttp', 'av', 'cv2'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert result.stdout.strip() == "set()"
