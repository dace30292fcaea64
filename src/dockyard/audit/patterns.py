"""What secrets look like: token shapes that their issuers document, and names of files that hold credentials.

A shape is looked for in every file of every layer, so it begins with a literal, has no alternative that a licence or a
test could match by chance, and leaves out the examples of the issuers' own documentation. Few are looked for in
binaries: each costs one pass over all bytes.
"""

from __future__ import annotations

import re

from dockyard.image import Pattern

END = rb"(?![A-Za-z0-9])"
START = rb"(?<![A-Za-z0-9])"
# A header alone is code that reads keys; a key has a body. In JSON its lines end with \n written out.
BREAK = rb"(?:\\[rn]|[\r\n])+"
KEY_BODY = BREAK + rb"(?:[A-Za-z-]+: [^\r\n\\]{1,200}" + BREAK + rb")*(?:[A-Za-z0-9+/=]{16,}(?:\\[rn]|[\s\"',])*){2,}"
PLAIN = rb"[^\s/@:\"'<>`(){}\\|]"
# Words that documentation has in place of a password, and what a program fills in.
WORD = rb"(?:pass|passwd|password|pwd|pw|secret|token|key)"
OWN = rb"(?:my|your)(?:[_-]?(?:db|own|super|" + WORD + rb"))*"
PLACEHOLDER = rb"(?i:" + WORD + rb"|" + OWN + rb"|pass1|example|xxx+|\.\.\.|test|changeme|\*+)@|[{<$%*\[(]"


def _pattern(name: str, *triggers: str, regex: bytes, text_only: bool = True) -> Pattern:
    return Pattern(name=name, triggers=tuple(each.encode() for each in triggers), regex=regex, text_only=text_only)


PATTERNS = (
    _pattern(
        "private key", "PRIVATE KEY", text_only=False,
        regex=rb"-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----" + KEY_BODY,
    ),
    _pattern(
        "AWS access key", "AKIA", "ASIA",
        regex=START + rb"A[KS]IA(?![A-Z0-9]{9}EXAMPLE)[A-Z0-9]{16}" + END,
    ),
    _pattern(
        "AWS secret key", "aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "SecretAccessKey",
        regex=rb"(?i:aws_secret_access_key|SecretAccessKey)[\"']?\s{0,4}[=:]\s{0,4}[\"']?"
        rb"(?![A-Za-z0-9/+]{30}EXAMPLEKEY)[A-Za-z0-9/+]{40}" + END,
    ),
    _pattern(
        "GitHub token", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_",
        regex=START + rb"(?:gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9_]{60,251})" + END,
    ),
    _pattern("GitLab token", "glpat-", "gldt-", "glrt-", regex=START + rb"gl(?:pat|dt|rt)-[A-Za-z0-9_-]{20,64}" + END),
    _pattern(
        "Slack token", "xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xapp-",
        regex=START + rb"(?:xox[bpars]|xapp)-\d[A-Za-z0-9-]{20,250}" + END,
    ),
    _pattern(
        "Slack webhook", "hooks.slack.com/services/",
        regex=rb"hooks\.slack\.com/services/T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{20,}",
    ),
    _pattern("Stripe key", "sk_live_", "rk_live_", regex=START + rb"[sr]k_live_[A-Za-z0-9]{20,250}" + END),
    _pattern("Google API key", "AIza", regex=START + rb"AIza[A-Za-z0-9_-]{35}" + END),
    _pattern("Google OAuth secret", "GOCSPX-", regex=START + rb"GOCSPX-[A-Za-z0-9_-]{28}" + END),
    _pattern("npm token", "npm_", regex=START + rb"npm_[A-Za-z0-9]{36}" + END),
    _pattern(
        "npm registry token", "_authToken",
        regex=rb"_authToken\s{0,4}=\s{0,4}[\"']?(?![$<{])[A-Za-z0-9+/=_-]{16,}",
    ),
    _pattern("PyPI token", "pypi-AgE", regex=START + rb"pypi-AgE[A-Za-z0-9_-]{50,}"),
    _pattern("Azure storage key", "AccountKey=", regex=rb"AccountKey=[A-Za-z0-9+/]{86}=="),
    _pattern("Azure client secret", "8Q~", regex=START + rb"[A-Za-z0-9_~.]{3}8Q~[A-Za-z0-9_~.-]{31,34}" + END),
    _pattern("Docker Hub token", "dckr_pat_", "dckr_oat_", regex=START + rb"dckr_[po]at_[A-Za-z0-9_-]{27,}"),
    _pattern("DigitalOcean token", "dop_v1_", regex=START + rb"dop_v1_[a-f0-9]{64}" + END),
    _pattern("Hugging Face token", "hf_", regex=START + rb"hf_[A-Za-z]{34}" + END),
    _pattern("SendGrid key", "SG.", regex=START + rb"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}" + END),
    _pattern("Vault token", "hvs.", regex=START + rb"hvs\.[A-Za-z0-9_-]{24,}" + END),
    _pattern(
        "JSON web token", "eyJ",
        regex=START + rb"eyJ[A-Za-z0-9_-]{15,2000}\.eyJ[A-Za-z0-9_-]{15,2000}\.[A-Za-z0-9_-]{20,}",
    ),
    _pattern(
        "URL with a password", "://",
        regex=rb"://(?![{<$%*\[(])" + PLAIN + rb"{1,64}:(?!" + PLACEHOLDER + rb")" + PLAIN + rb"{4,128}@[A-Za-z0-9\[]",
    ),
)  # fmt: skip

# Files that hold credentials by their very purpose; empty ones and examples do not count.
CREDENTIALS = re.compile(
    r".*/(\.pypirc|[._]netrc|\.git-credentials|\.pgpass|\.my\.cnf|\.htpasswd|\.vault-token|\.dockercfg|\.envrc|kubeconfig"
    r"|id_(rsa|dsa|ecdsa|ed25519)(_sk)?|ssh_host_\w+_key|application_default_credentials\.json|terraform\.tfstate"
    r"|service[_-]account[\w-]*\.json|[^/]+\.(kdbx|ppk|p12|pfx|jks|keystore)"
    r"|\.env(\.(?!example|sample|template|dist)[^/]+)?|\.docker/config\.json|\.kube/config|\.aws/credentials"
    r"|\.azure/(accessTokens|msal_token_cache)\.json)"
)
# Test data of libraries, and their documentation: public, whatever it looks like. GnuTLS tests itself with keys that it
# is compiled with.
PUBLISHED = re.compile(
    r".*/lib/.*/libgnutls\.so\.[\d.]+|/usr/share/(doc|perl)/.*|.*/lib(64)?/python\d[\d.]*/(test|idlelib)/.*|.*/(site|dist)-packages/.*/(tests?|testing)/.*"
)
