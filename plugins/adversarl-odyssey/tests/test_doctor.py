import pytest
from adversarl_odyssey import doctor
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.sdk import Sdk, SdkMissing

SECRET = "ody_this_is_the_secret_0123456789"


def findings():
    found = {}
    doctor.examine(lambda name, ok, detail: found.update({name: (ok, detail)}))
    return found


@pytest.fixture
def installed(monkeypatch):
    """``installed(answer)`` decides what finding the SDK leads to."""

    def decide(answer):
        def find(kind, url):
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(doctor, "find_sdk", find)

    decide(Sdk("sdk", "1.3.0", object, object))
    monkeypatch.delenv("ODYSSEY_API_KEY", raising=False)
    monkeypatch.delenv("ODYSSEY_API_URL", raising=False)
    return decide


def test_an_installed_sdk_is_told_with_its_version(installed):
    assert findings()["Odyssey SDK"] == (True, "1.3.0")


def test_a_missing_sdk_is_a_hint(installed):
    installed(SdkMissing("the SDK is not installed", "Run: pip install it"))
    assert findings()["Odyssey SDK"] == (True, "optional: the SDK is not installed. Run: pip install it")


def test_a_wrong_module_is_a_fault(installed):
    installed(OdysseyError("the module 'odyssey' is something else", "Move it."))
    assert findings()["Odyssey SDK"] == (False, "Odyssey: the module 'odyssey' is something else. Move it.")


def test_a_missing_key_is_a_hint(installed):
    ok, detail = findings()["ODYSSEY_API_KEY"]
    assert ok
    assert detail.startswith("optional: ODYSSEY_API_KEY is not set. Export your key")


@pytest.mark.parametrize(("value", "ok"), [(SECRET, True), (f"{SECRET} {SECRET}", False)])
def test_the_key_is_never_shown(installed, monkeypatch, value, ok):
    monkeypatch.setenv("ODYSSEY_API_KEY", value)
    assert findings()["ODYSSEY_API_KEY"][0] is ok
    assert SECRET not in str(findings())


@pytest.mark.parametrize(
    ("url", "ok", "words"),
    [
        ("", True, "https://api.odyssey.ml"),
        ("http://127.0.0.1:8765", True, "an emulator on this machine"),
        ("http://192.168.0.4:8765", True, "the key travels there unencrypted"),
        ("nonsense", False, "is no address of a service"),
    ],
)
def test_the_address_is_told(installed, monkeypatch, url, ok, words):
    monkeypatch.setenv("ODYSSEY_API_URL", url)
    found = findings()["Odyssey address"]
    assert found[0] is ok
    assert words in found[1]
