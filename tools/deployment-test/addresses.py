"""Stands in for DNS: what AWS serves at a host of its own, MiniStack serves at a path."""

import re

AWS = r"\.[a-z0-9-]+\.amazonaws\.com"
STAND_INS = [
    (re.compile(rf"^https://cognito-idp{AWS}/"), r"{endpoint}/"),
    (re.compile(rf"^(http|ws)s://([a-z0-9]+)\.execute-api{AWS}/"), r"\1://{host}/_aws/execute-api/\2/"),
    (re.compile(rf"^https://([a-z0-9]+)\.appsync-api{AWS}/graphql$"), r"{endpoint}/v1/apis/\1/graphql"),
    (
        re.compile(r"^https://([a-z0-9]+)\.lambda-url\.[a-z0-9-]+\.on\.aws/"),
        r"{endpoint}/_aws/lambda-url/\1/",
    ),
]


def local(address: str, endpoint: str) -> str:
    """The address at the emulator; anything that is no address of AWS as it is."""
    host = endpoint.removeprefix("http://")
    for pattern, path in STAND_INS:
        address = pattern.sub(path.format(endpoint=endpoint, host=host), address)
    return address
