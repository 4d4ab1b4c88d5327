"""Every check of this project; plain `nox` runs the ones that need only Python."""

import shutil
from itertools import chain
from pathlib import Path
from zipfile import ZipFile

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
# A session that cannot run has failed.
nox.options.error_on_missing_interpreters = True

PROJECT = nox.project.load_toml("pyproject.toml")

#: The docstrings of the installed package, the tests, and the code in the documentation.
EVERY_TEST = ("--pyargs", "course_assignments", "tests", "README.md", "docs")

#: All tests except the slow ones, which need only one Python and no coverage.
SHORT = ("-m", "not long", *EVERY_TEST)

#: What differs between versions shows in a few examples of each property.
FEW_EXAMPLES = {"HYPOTHESIS_PROFILE": "few"}

#: Tests on PostgreSQL; like `tests/postgres`, they run only when they are named.
POSTGRES_CRASHES = "tests/crash/test_crash_postgres.py"
POSTGRES_HISTORIES = "tests/linearizable/test_linearizable_postgres.py"

#: The package as users install it, with all extras.
EXTRAS = PROJECT["project"]["optional-dependencies"]
PACKAGE = f".[{','.join(EXTRAS)}]"
REQUIREMENTS = [*PROJECT["project"]["dependencies"], *chain(*EXTRAS.values())]


def group(name: str) -> tuple[str, ...]:
    """Return the requirements of the dependency group *name*."""
    return nox.project.dependency_groups(PROJECT, name)


@nox.session
def tests(session: nox.Session) -> None:
    """Test the installed package, and require coverage of all lines and branches."""
    session.install(PACKAGE, *group("test"))
    if session.posargs:
        session.run("pytest", *session.posargs)
        return
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *SHORT)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")
    session.run("pytest", "-m", "long", "tests")


@nox.session(default=False)
def postgres(session: nox.Session) -> None:
    """Run the repository tests on PostgreSQL; fail if there is no server."""
    session.install(PACKAGE, *group("postgres"))
    everything = ["-m", "not long", "tests/postgres", POSTGRES_CRASHES, POSTGRES_HISTORIES]
    session.run("pytest", *(session.posargs or everything))


@nox.session(default=False)
def crash(session: nox.Session) -> None:
    """Run the load and crash tests in full, and print the results; takes minutes."""
    session.install(PACKAGE, *group("postgres"))
    session.run(
        *("pytest", "-p", "no:randomly", "tests/crash/test_crash_sqlite.py", POSTGRES_CRASHES),
        env={"CRASH_PROFILE": "full"},
    )


@nox.session(default=False)
def linearizable(session: nox.Session) -> None:
    """Check 2,000 histories on each storage, and pairs of commands; takes an hour."""
    session.install(PACKAGE, *group("postgres"))
    # Each file by its name: pytest passes over one that it collects in its folder too.
    files = map(str, Path("tests/linearizable").glob("test_linearizable_*.py"))
    session.run("pytest", "-p", "no:randomly", *sorted(files), env={"HISTORIES": "2000"})
    session.run("pytest", "-m", "long", "tests/postgres")


@nox.session(default=False)
def thorough(session: nox.Session) -> None:
    """Run the property tests with twenty times as many examples, new ones each time."""
    session.install(PACKAGE, *group("test"))
    session.run("pytest", "tests", *session.posargs, env={"HYPOTHESIS_PROFILE": "thorough"})


@nox.session
def types(session: nox.Session) -> None:
    """Check the types with mypy."""
    session.install(*REQUIREMENTS, *group("typing"))
    session.run("mypy")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format and the direction of imports."""
    session.install(*group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports", env={"PYTHONPATH": "src"})


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; fail on a broken reference or a failing notebook."""
    session.install(PACKAGE, *group("docs"))
    session.run(
        "sphinx-build", "-W", "-n", "-E", "--keep-going", "-b", "html", "docs", "docs/_build/html"
    )


@nox.session(default=False)
def demo(session: nox.Session) -> None:
    """Run the demo."""
    session.install(".")
    session.run("python", "docs/examples/demo.py")


@nox.session(default=False)
def replay(session: nox.Session) -> None:
    """Replay real registrations: nox -s replay -- FOLDER."""
    if len(session.posargs) != 1:
        session.error("name the folder with the records: nox -s replay -- FOLDER")
    session.install(".")
    session.run("python", "docs/examples/replay.py", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure commands and look-ups; assert nothing."""
    session.install(PACKAGE, *group("bench"))
    columns = ("--benchmark-columns=min,median,ops,rounds", "--benchmark-sort=fullname")
    session.run("pytest", "-p", "no:randomly", *columns, "tests/bench.py", *session.posargs)


@nox.session(default=False)
def pyright(session: nox.Session) -> None:
    """Check the types with pyright, and that the package lacks none."""
    session.install(PACKAGE, *group("pyright"))
    session.run("pyright", "--project", "pyproject.toml")  # ignore a config in a parent folder
    session.run("pyright", "--verifytypes", "course_assignments", "--ignoreexternal")


@nox.session(default=False)
def build(session: nox.Session) -> None:
    """Build the sdist and the wheel, check them, and import the wheel."""
    session.install(*group("build"))
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build")
    (sdist,) = Path("dist").glob("*.tar.gz")
    (wheel,) = Path("dist").glob("*.whl")
    session.run("twine", "check", "--strict", str(sdist), str(wheel))
    if "course_assignments/py.typed" not in ZipFile(wheel).namelist():
        session.error("the wheel lacks py.typed")
    session.install(str(wheel))
    session.run("python", "-I", "-c", "import course_assignments")


@nox.session(python=["3.11", "3.12", "3.13", "3.14", "3.15"], default=False)
@nox.parametrize("dateutil", ["2.9.0", "4.0.0"])
def matrix(session: nox.Session, dateutil: str) -> None:
    """Run the tests on each common version of Python and python-dateutil."""
    session.install(PACKAGE, *group("test"), f"python-dateutil=={dateutil}")
    session.run("pytest", *SHORT, env=FEW_EXAMPLES)


@nox.session(default=False)
@nox.parametrize(
    ("python", "django"),
    [("3.11", "5.2"), ("3.12", "6.0")],  # the lowest Python that each of them supports
    ids=["django-5.2", "django-6.0"],
)
def hosts(session: nox.Session, django: str) -> None:
    """Run the host examples on each common version of Django."""
    session.install(PACKAGE, *group("test"), f"django=={django}.*")
    session.run("pytest", *session.posargs, *map(str, Path("tests/docs").glob("test_hosts_*.py")))


@nox.session(default=False)
def lowest(session: nox.Session) -> None:
    """Run the tests with the lowest versions that pyproject.toml allows."""
    session.install("uv")
    session.run(
        *("uv", "pip", "install", "--quiet", "--python", session.virtualenv.location),
        *("--resolution", "lowest-direct", *REQUIREMENTS, *group("test")),
        external=True,
    )
    session.install("--no-deps", ".")
    # In importlib mode, pytest 8.0 cannot import a package from a hidden folder such as .nox.
    session.run("pytest", "--import-mode=prepend", *SHORT, env=FEW_EXAMPLES)
