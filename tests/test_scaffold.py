"""`scaffold` writes packages that install, pass their own tests and the linter, and run their recipe."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from adversarl.errors import UnknownComponent
from adversarl.registry import KINDS
from adversarl.scaffold import ScaffoldError, scaffold


def python(*arguments, site=None, cwd=None):
    """Runs this Python, with a folder of freshly installed packages before all others."""
    environment = dict(os.environ, OMP_NUM_THREADS="1", PYTHONPATH=str(site or ""))
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def adversarl(*arguments, site):
    """Runs the command line."""
    return python("-c", "from adversarl.cli import main; main()", *arguments, site=site)


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """One package of each kind."""
    folder = tmp_path_factory.mktemp("packages")
    return [scaffold(f"my-{kind}", kind, folder) for kind in KINDS]


@pytest.fixture(scope="module")
def site(packages, tmp_path_factory):
    """All of them installed."""
    site = tmp_path_factory.mktemp("site")
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    python("-m", "pip", "install", *options, "--target", site, *packages)
    return site


@pytest.mark.timeout(600)
def test_generated_packages_pass_their_own_tests_once_installed(packages, site):
    out = python("-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", *packages, site=site)
    assert " passed" in out
    assert "skipped" not in out


def test_generated_components_are_listed_with_their_distribution(site):
    out = adversarl("plugins", "list", "--json", site=site)
    for kind in KINDS:
        assert f'"my-{kind}"' in out
        assert f'"adversarl-my-{kind}"' in out
    assert '"broken"' not in out


def test_a_generated_recipe_runs_and_its_policy_is_exported_from_the_command_line(packages, site, tmp_path):
    exporter = packages[KINDS.index("exporter")]
    run = tmp_path / "run"
    adversarl("run", exporter / "recipe.toml", "--out", run, site=site)
    adversarl("export", run, "--with", "my-exporter", site=site)
    assert (run / "policy.zip").is_file()


def test_generated_code_is_formatted_and_free_of_lint(packages):
    for package in packages:
        python("-m", "ruff", "check", "--quiet", "--no-cache", ".", cwd=package)
        python("-m", "ruff", "format", "--check", "--no-cache", ".", cwd=package)


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_has_what_a_plugin_needs_and_no_placeholder(kind, tmp_path):
    package = scaffold("lab-arm", kind, tmp_path)
    written = {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file()}
    assert written == {
        "pyproject.toml",
        "README.md",
        "recipe.toml",
        "src/adversarl_lab_arm/__init__.py",
        "src/adversarl_lab_arm/plugin.py",
        "src/adversarl_lab_arm/lab_arm.py",
        "src/adversarl_lab_arm/py.typed",
        "tests/test_lab_arm.py",
    }
    text = "".join((package / path).read_text() for path in written)
    assert "{{" not in text
    assert f"class LabArm{kind.capitalize()}(" in text


def test_a_kind_at_the_end_of_the_name_is_not_said_twice(tmp_path):
    package = scaffold("slow-learner", "learner", tmp_path)
    assert "class SlowLearner(Learner)" in (package / "src/adversarl_slow_learner/slow_learner.py").read_text()


def test_the_prefix_of_the_distribution_may_be_given(tmp_path):
    assert scaffold("adversarl-arm", "backend", tmp_path).name == "adversarl-arm"


def test_nothing_is_overwritten(tmp_path):
    package = scaffold("arm", "backend", tmp_path)
    with pytest.raises(ScaffoldError) as caught:
        scaffold("arm", "reward", tmp_path)
    assert str(caught.value) == (
        f"{package}: is there already, and nothing is overwritten. Choose another name or --out"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("My World", "'My World': is no plugin name. Write it like my-world: lower case, digits and hyphens"),
        ("arm-", "'arm-': is no plugin name. Write it like my-world: lower case, digits and hyphens"),
        ("../arm", "'../arm': is no plugin name. Write it like my-world: lower case, digits and hyphens"),
        ("class", "'class': cannot be a plugin name, as class.py cannot be its module. Choose another"),
        ("plugin", "'plugin': cannot be a plugin name, as plugin.py cannot be its module. Choose another"),
        ("mujoco", "'mujoco': is taken: adversarl-mujoco is a package of the project. Choose another name"),
    ],
)
def test_a_name_that_cannot_be_used_says_why(name, message, tmp_path):
    with pytest.raises(ScaffoldError) as caught:
        scaffold(name, "backend", tmp_path)
    assert str(caught.value) == message
    assert not list(tmp_path.iterdir())


def test_an_unknown_kind_names_the_nearest_one():
    with pytest.raises(UnknownComponent, match=r"no kind named 'lerner'. Did you mean 'learner'"):
        scaffold("arm", "lerner", Path())
