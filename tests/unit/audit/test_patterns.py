"""Shapes of secrets: what is one, and what only looks like one. Tokens are put together here: no file has one whole."""

from __future__ import annotations

import re
import secrets
import string

import pytest

from dockyard.audit.facts.secret_names import secret_name, secret_pair, shape, with_credentials
from dockyard.audit.patterns import CREDENTIALS, PATTERNS, PUBLISHED
from dockyard.audit.rules.secrets import entropy

LETTERS = string.ascii_letters + string.digits


def text(count: int, letters: str = LETTERS) -> str:
    """So many random characters."""
    return "".join(secrets.choice(letters) for _ in range(count))


def pem(kind: str, *, newline: str = "\n", header: str = "") -> str:
    """A block with a header, and a body of random letters."""
    body = newline.join(text(64) for _ in range(4))
    return f"-----BEGIN {kind}-----{newline}{header}{body}{newline}-----END {kind}-----"


MADE = {
    "private key": lambda: pem("RSA PRIVATE " + "KEY"),
    "AWS access key": lambda: "AK" + "IA" + text(16, "ABCDEFGHJKLMNPQR234567"),
    "AWS secret key": lambda: f"aws_secret_access_key = {text(40)}",
    "GitHub token": lambda: "gh" + "p_" + text(36),
    "GitLab token": lambda: "gl" + "pat-" + text(20),
    "Slack token": lambda: "xo" + "xb-" + text(12, string.digits) + "-" + text(24),
    "Slack webhook": lambda: "https://hooks.slack.com/services/" + "T01ABCDEF/B01ABCDEF/" + text(24),
    "Stripe key": lambda: "sk_" + "live_" + text(24),
    "Google API key": lambda: "AI" + "za" + text(35),
    "Google OAuth secret": lambda: "GOC" + "SPX-" + text(28),
    "npm token": lambda: "np" + "m_" + text(36),
    "npm registry token": lambda: f"//registry.example/:_authToken={text(36)}",
    "PyPI token": lambda: "py" + "pi-AgE" + text(60),
    "Azure storage key": lambda: "AccountKey" + "=" + text(86) + "==",
    "Azure client secret": lambda: text(3) + "8Q~" + text(34),
    "Docker Hub token": lambda: "dckr" + "_pat_" + text(27),
    "DigitalOcean token": lambda: "dop" + "_v1_" + text(64, "0123456789abcdef"),
    "Hugging Face token": lambda: "h" + "f_" + text(34, string.ascii_letters),
    "SendGrid key": lambda: "S" + "G." + text(22) + "." + text(43),
    "Vault token": lambda: "hv" + "s." + text(24),
    "JSON web token": lambda: "ey" + "J" + text(20) + ".ey" + "J" + text(30) + "." + text(43),
    "URL with a password": lambda: f"postgresql://app:{text(12)}@db.example:5432/x",
}


def found(sample: str) -> set[str]:
    """The names of the patterns that match."""
    return {each.name for each in PATTERNS if re.search(each.regex, sample.encode())}


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda each: each.name)
def test_shapes(pattern):
    """A secret is found alone, in a setting and in JSON, and each match holds one of its pattern's literals."""
    for _ in range(20):
        sample = MADE[pattern.name]()
        for around in (sample, f"TOKEN='{sample}'\n", f'{{"x": "{sample}"}}'):
            match = re.search(pattern.regex, around.encode())
            assert match, around
            assert any(each in match[0] for each in pattern.triggers), around


@pytest.mark.parametrize("password", ["myHorse7battery", "yours4ever", "secretly", "TestMe99"])
def test_password_that_begins_like_a_placeholder(password):
    """A password is one whatever word it begins with."""
    assert found(f"postgresql://app:{password}@db.example/x") == {"URL with a password"}


def test_keys_in_other_forms():
    """Keys with headers, in one line of JSON, of elliptic curves, of OpenSSH and of PGP are keys."""
    for kind in ("PRIVATE ", "EC PRIVATE ", "OPENSSH PRIVATE ", "ENCRYPTED PRIVATE "):
        assert found(pem(kind + "KEY")) == {"private key"}
    assert found(pem("PRIVATE " + "KEY", newline="\\n")) == {"private key"}
    assert found(pem("PGP PRIVATE " + "KEY BLOCK", header="Version: 1\n\n")) == {"private key"}
    assert found(pem("RSA PRIVATE " + "KEY", header="Proc-Type: 4,ENCRYPTED\nDEK-Info: AES,00\n\n")) == {"private key"}


@pytest.mark.parametrize(
    "sample",
    [
        "-----BEGIN PRIVATE " + "KEY-----\\n%s\\n",
        'if line.startswith("-----BEGIN RSA PRIVATE ' + 'KEY-----"):',
        "-----BEGIN CERTIFICATE-----\nMIIDSjCCAjKgAwIBAgIQRK+wgNajJ7qJMDmGLvhAazANBgkqhkiG9w0BAQUFADA\n",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAzzzz\nAAAAAAAAAAAAAAAAAAAAAAAA\n",
        "AKIA" + "IOSFODNN7EXAMPLE",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "https://user:password@host/",
        "https://user:pass@host/",
        "https://user:my-super-secret@host/",
        "https://user:your_db_password@host/",
        "https://{user}:{password}@{host}/",
        "https://$USER:$TOKEN@host/",
        "https://<user>:<token>@host/",
        "https://host:8080/@scope/x",
        "http://[::1]:8000/a@b",
        "sqlite:////tmp/x.db mail me@host.example",
        "sk_test_" + "a" * 24,
        "npm_config_registry_and_other_names_of_variables",
        "//registry.example/:_authToken=${NPM_TOKEN}",
        "eyJhbGciOiJIUzI1NiJ9",
    ],
)
def test_no_secrets(sample):
    """Code that reads keys, certificates, public keys, examples and placeholders are no secrets."""
    assert found(sample) == set()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/root/.netrc", True),
        ("/root/.ssh/id_ed25519", True),
        ("/root/.ssh/id_rsa.pub", False),
        ("/app/.env", True),
        ("/app/.env.production", True),
        ("/app/.env.example", False),
        ("/app/environment.env.py", False),
        ("/root/.docker/config.json", True),
        ("/app/config.json", False),
        ("/root/.aws/credentials", True),
        ("/root/.kube/config", True),
        ("/home/x/.git-credentials", True),
        ("/etc/ssh/ssh_host_rsa_key", True),
        ("/app/store.p12", True),
        ("/opt/venv/lib/python3.12/site-packages/certifi/cacert.pem", False),
    ],
)
def test_credential_files(path, expected):
    """Files are credentials by their purpose; public halves, examples and certificates are none."""
    assert bool(CREDENTIALS.fullmatch(path)) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/usr/local/lib/python3.12/test/certdata/keycert.pem", True),
        ("/opt/venv/lib/python3.12/site-packages/paramiko/tests/rsa.key", True),
        ("/app/tests/key.pem", False),
        ("/opt/venv/lib/python3.12/site-packages/service/key.pem", False),
    ],
)
def test_published_files(path, expected):
    """Test data of Python and of installed packages is public; the service's own is not."""
    assert bool(PUBLISHED.fullmatch(path)) is expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("API_KEY", "abcdef", True),
        ("api_token", "abcdef", True),
        ("DB_PASSWORD", "1234", True),
        ("API_KEY", "", False),
        ("API_KEY", '""', False),
        ("API_KEY_FILE", "/run/secrets/api_key", False),
        ("API_KEY", "/run/secrets/api_key", False),
        ("API_KEY", "$(cat /run/secrets/api_key)", False),
        ("GPG_KEY", "7169605F62C751356D054A26A821E680E5FA6305", False),
        ("NGINX_GPGKEYS", "573BFD6B3D8FBC641079A6ABABF5BD827BD9BF62", False),
        ("key", "'B97B0AFCAA1A47F044F244A07FCC7D46ACCC4CF8'", False),
        ("key", "b97b0afcaa1a47f044f244a07fcc7d46accc4cf8", True),
        ("MAX_TOKENS", "4096", False),
        ("USE_TOKEN_AUTH", "true", False),
        ("PUBLIC_KEY", "abcdef", False),
        ("TOKEN_TTL", "forever", False),
        ("ADMIN_TOKEN", "abcdef", True),
        ("MINIO_SECRET_KEY", "abcdef", True),
        ("HEADER_TOKEN", "abcdef", True),
        ("PATH", "abcdef", False),
    ],
)
def test_pairs(name, value, expected):
    """A variable is a secret by its name and its value: places, switches and public keys are none."""
    assert secret_pair(name, value) is expected


def test_public_names_are_no_way_out():
    """A name that only contains the name of a public one is still a secret's."""
    assert secret_name("MY_GPG_KEY_PASSWORD")
    assert secret_name("SSH_PRIVATE_KEY")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://me:s3cr3t@host/x", True),
        ("https://ghx_0123456789@host/x", True),
        ("pip install -i https://me:s3cr3t@host/simple x", True),
        ("https://$USER:$TOKEN@host/", False),
        ("ssh://git@host/x", False),
        ("https://host/@x", False),
        ("http://[bad", False),
    ],
)
def test_credentials_in_urls(value, expected):
    """A URL has credentials if it has a password or, for the web, a user."""
    assert with_credentials(value) is expected


def test_shape_never_tells_the_value():
    """What a text holds is told by its kind."""
    token = MADE["GitHub token"]()

    assert shape(f"x {token} y") == "GitHub token"


def test_entropy():
    """Random letters have more bits a character than words."""
    assert entropy("aaaaaaaaaaaaaaaaaaaa") == 0
    assert entropy("0123456789abcdef0123456789abcdef") == 4
