"""The plugin host: one broken plugin is named, and the others serve."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from novukit.errors import PluginInvalid, ProviderNotFound
from novukit.providers import (
    EmailContent,
    EmailCredentials,
    EmailProvider,
    HttpClient,
    NoCredentials,
    PluginHost,
    PluginStatus,
    Receipt,
    SmsContent,
    SmsProvider,
    check_provider,
    hookimpl,
)

pytestmark = pytest.mark.anyio

GOOD = """
from novukit.providers import EmailCredentials, EmailProvider, Receipt, hookimpl

class Good(EmailProvider[EmailCredentials]):
    id = "{id}"
    async def send(self, content, key):
        return Receipt("{id}-" + key)

@hookimpl
def novukit_providers():
    return [Good]
"""
BROKEN = {
    "import": (
        "import nothing_of_the_kind",
        "ModuleNotFoundError: No module named 'nothing_of_the_kind' (fake_import.py:1)",
    ),
    "raises": ("x = 1\nraise ValueError('at import')", "ValueError: at import (fake_raises.py:2)"),
    "exits": ("import sys\nsys.exit(3)", "SystemExit: 3 (fake_exits.py:2)"),
    "syntax": ("def (", "SyntaxError"),
    "empty": ("", "It implements no hook."),
    "unmarked": (GOOD.replace("@hookimpl", "").replace("{id}", "unmarked"), "marked with @hookimpl"),
    "unknown": (GOOD.replace("def novukit_providers", "def novukit_provider"), "Did you mean 'novukit_providers'?"),
    "signature": (GOOD.replace("novukit_providers()", "novukit_providers(host)"), "PluginValidationError"),
    "hook": (GOOD.replace("return [Good]", "raise RuntimeError('in hook')"), "RuntimeError: in hook"),
    "hookexit": (GOOD.replace("return [Good]", "raise SystemExit"), "SystemExit"),
    "nothing": (GOOD.replace("return [Good]", "return None"), "TypeError"),
    "instance": (GOOD.replace("[Good]", "[Good(None, None)]"), "is not a subclass of novukit.providers.Provider"),
    "noid": (GOOD.replace('id = "{id}"', "pass"), "Good has no id."),
    "badid": (GOOD.replace("{id}", "Bad Id"), "Good has the id 'Bad Id'."),
    "taken": (GOOD.replace("{id}", "smtp"), "The provider id 'smtp' is taken by smtp (built in)."),
    "second": (GOOD.replace("{id}", "good"), "The provider id 'good' is taken by agood (novukit-fake-agood 1.2)."),
    "twice": (GOOD.replace("[Good]", "[Good, Good]").replace("{id}", "twice"), "is taken by itself"),
    "version": (GOOD.replace('id = "{id}"', 'id = "new"\n    api_version = 2'), "version 2 of the plugin contract"),
    "sync": (GOOD.replace("async def", "def").replace("{id}", "sync"), "`send` is not async. Write `async def send`."),
    "abstract": (GOOD.replace("send", "sent").replace("{id}", "abstract"), "abstract does not implement send."),
    "supports": (GOOD.replace('"{id}"', '"supports"\n    supports = frozenset({"bc"})'), "Did you mean 'bcc'?"),
    "listed": (GOOD.replace('"{id}"', '"listed"\n    supports = ["cc"]'), "Make it a frozenset"),
    "novu": (GOOD.replace('"{id}"', '"novu"\n    novu_id = "sendgird"'), "Did you mean 'sendgrid'?"),
    "lookup": (
        GOOD.replace('"{id}"', '"lookup"\n    idempotency = "lookup"'),
        "promises a look-up and has no `lookup`",
    ),
    "idempotent": (GOOD.replace('"{id}"', '"idempotent"\n    idempotency = "yes"'), "Use native, lookup or none."),
    "window": (
        GOOD.replace('"{id}"', '"window"\n    idempotency = "native"\n    idempotency_window = 86400'),
        "Give a timedelta above 0, or None where keys are kept.",
    ),
    "endless": (
        GOOD.replace('"{id}"', '"endless"\n    idempotency_window = __import__("datetime").timedelta(hours=1)'),
        "no idempotency that could end",
    ),
    "timeout": (GOOD.replace('"{id}"', '"timeout"\n    timeout = 0'), "Give seconds"),
    "undefined": (
        "from __future__ import annotations\nfrom novukit.providers import EmailCredentials\n"
        "class C(EmailCredentials):\n    key: Missing\n"
        + GOOD.replace("Provider[EmailCredentials]", "Provider[C]").replace("{id}", "undefined"),
        "PydanticUndefinedAnnotation: name 'Missing' is not defined",
    ),
    "bare": (GOOD.replace("EmailProvider[EmailCredentials]", "EmailProvider").replace("{id}", "bare"), "type argument"),
}


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Installs a package with one module and an entry point to it, for this test alone."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def add(name: str, source: str) -> None:
        (tmp_path / f"fake_{name}.py").write_text(source)
        info = tmp_path / f"novukit_fake_{name}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: novukit-fake-{name}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[novukit]\n{name} = fake_{name}\n")

    yield add
    for module in set(sys.modules) - before:
        if module.startswith("fake_"):
            del sys.modules[module]


def status(host: PluginHost, name: str) -> PluginStatus:
    return next(one for one in host.statuses if one.name == name)


def test_what_comes_with_novukit_is_made_of_plugins() -> None:
    """Loaded through the same hook, and checked by the same rules."""
    host = PluginHost(installed=False)

    assert [one.name for one in host.statuses] == ["catcher", "console", "null", "smtp"]
    assert all(one.ok and one.distribution == "built in" for one in host.statuses)
    expected = {f"{kind}-{c}" for kind in ("catcher", "console", "null") for c in ("email", "sms", "push", "chat")}
    assert {"smtp", *expected} == set(host.providers)


@pytest.mark.parametrize("name", BROKEN)
async def test_one_broken_plugin_is_named_and_the_others_serve(name: str, install: Callable[[str, str], None]) -> None:
    """Whatever is wrong with it, and whether it is loaded before or after them."""
    source, error = BROKEN[name]
    install("agood", GOOD.format(id="good"))
    install(name, source.replace("{id}", name))
    install("zgood", GOOD.format(id="zgood"))

    host = PluginHost()

    broken = status(host, name)
    assert (False, f"novukit-fake-{name} 1.2", ()) == (broken.ok, broken.distribution, broken.providers)
    assert error in (broken.error or "")
    assert "\n" not in (broken.error or "")
    assert str(Path.home()) not in (broken.error or "")
    assert not host._hooks.has_plugin(f"{name} (novukit-fake-{name} 1.2)")
    assert status(host, "agood") == PluginStatus("agood", "novukit-fake-agood 1.2", True, None, ("good",))
    for provider_id in ("good", "zgood", "smtp"):
        assert provider_id in host.providers
    receipt = await host.build("good", {}).send(EmailContent(to="a@x", sender="b@x", subject="s"), "k")
    assert Receipt("good-k") == receipt


def test_an_interrupt_is_not_taken_for_a_broken_plugin(install: Callable[[str, str], None]) -> None:
    """Ctrl-C means the user, not the plugin."""
    install("interrupt", "raise KeyboardInterrupt")

    with pytest.raises(KeyboardInterrupt):
        PluginHost()


def test_a_disabled_plugin_is_not_even_imported(install: Callable[[str, str], None]) -> None:
    """It is listed, so that one sees why its provider is missing."""
    install("off", "raise AssertionError")

    host = PluginHost(disabled=["off"])

    assert status(host, "off").error == "disabled by the configuration"
    with pytest.raises(ProviderNotFound, match=r"The plugin 'off' .* disabled by the configuration"):
        host.get("off")


def test_installed_plugins_can_be_left_alone(install: Callable[[str, str], None]) -> None:
    """For tests that must not depend on what is installed."""
    install("left", "raise AssertionError")

    assert "left" not in {one.name for one in PluginHost(installed=False).statuses}


def test_two_distributions_may_name_their_plugin_alike(install: Callable[[str, str], None], tmp_path: Path) -> None:
    """The name is for people; only provider ids are unique."""
    install("mail", GOOD.format(id="mail-one"))
    (tmp_path / "fake_other.py").write_text(GOOD.format(id="mail-two"))
    info = tmp_path / "novukit_other-3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: novukit-other\nVersion: 3\n")
    (info / "entry_points.txt").write_text("[novukit]\nmail = fake_other\n")

    host = PluginHost()

    assert {"mail-one", "mail-two"} <= set(host.providers)


def given(*providers: Any, name: str = "given") -> Any:
    @hookimpl
    def novukit_providers() -> list[Any]:
        return list(providers)

    return SimpleNamespace(__name__=name, novukit_providers=novukit_providers)


def test_plugins_may_be_handed_over() -> None:
    """A module or any object with hooks."""

    class Plugin:
        @hookimpl
        def novukit_providers(self) -> list[Any]:
            return [email("mine")]

    host = PluginHost([Plugin(), given(email("yours"))], installed=False)

    assert {"mine", "yours"} <= set(host.providers)
    assert PluginStatus("Plugin", "given", True, None, ("mine",)) in host.statuses


def email(provider_id: str) -> Any:
    async def send(self: Any, content: EmailContent, key: str) -> Receipt:
        return Receipt()

    return type("Mail", (EmailProvider,), {"id": provider_id, "credentials_type": EmailCredentials, "send": send})


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("smpt", "Did you mean 'smtp'?"),
        ("sendgrid", "pip install novukit-sendgrid"),
        ("x; rm -rf /", "lower-case words"),
        ("", "lower-case words"),
        ("x" * 500, "pip install"),
    ],
)
def test_a_provider_that_is_missing_comes_with_advice(asked: str, hint: str) -> None:
    """What was meant, what to install, or what an id looks like; and nothing to paste that is not an id."""
    with pytest.raises(ProviderNotFound) as missing:
        PluginHost(installed=False).get(asked)

    assert hint in (missing.value.hint or "")
    assert "rm -rf" not in (missing.value.hint or "")


def test_a_provider_whose_plugin_is_broken_says_so(install: Callable[[str, str], None]) -> None:
    """Installing it once more would not help."""
    install("pigeonmail", "import nothing_of_the_kind")

    with pytest.raises(ProviderNotFound, match=r"The plugin 'pigeonmail' .* does not serve: ModuleNotFoundError"):
        PluginHost().build("pigeonmail", {})


@pytest.mark.parametrize(
    ("base", "provider_id", "novu_id"),
    [
        (EmailProvider, "sendgrid", "sendgrid"),
        (EmailProvider, "mine", "email-webhook"),
        (SmsProvider, "mine", "generic-sms"),
        (SmsProvider, "twilio", "twilio"),
        (EmailProvider, "twilio", "email-webhook"),
    ],
)
def test_a_provider_is_reported_under_an_id_that_novu_knows(base: Any, provider_id: str, novu_id: str) -> None:
    """Its own where Novu has it for that channel, else the generic one of the channel."""
    assert novu_id == type("P", (base,), {"id": provider_id}).novu_id


def test_a_subclass_inherits_what_it_does_not_say() -> None:
    """Credentials through several classes; the name is made from the id."""

    class Base(SmsProvider[NoCredentials]):
        async def send(self, content: SmsContent, key: str) -> Receipt:
            return Receipt()

    class Sub(Base):
        id = "my-gate"

    assert (NoCredentials, "My gate", "sms") == (check_provider(Sub).credentials_type, Sub.name, Sub.channel)


def test_a_provider_that_cannot_be_built_is_named() -> None:
    """With SystemExit, too."""

    class Bad(email("bad")):  # type: ignore[misc]
        id = "bad"

        def __init__(self, credentials: Any, http: HttpClient) -> None:
            raise SystemExit("no")

    with pytest.raises(PluginInvalid, match=r"bad .* could not be built: SystemExit: no"):
        PluginHost([given(Bad)], installed=False).build("bad", {})


async def test_closing_closes_what_was_built_even_if_one_fails() -> None:
    """And then the shared client."""
    closed: list[str] = []

    class Careful(email("careful")):  # type: ignore[misc]
        id = "careful"

        async def close(self) -> None:
            closed.append("careful")

    class Careless(email("careless")):  # type: ignore[misc]
        id = "careless"

        async def close(self) -> None:
            closed.append("careless")
            raise ValueError

    host = PluginHost([given(Careful, Careless)], installed=False)
    built = [host.build("careless", {}), host.build("careful", {})]
    await host.close()
    await host.close()

    assert sorted(closed) == ["careful", "careless"]
    assert len(built) == 2
    assert built[0].http is host.http
