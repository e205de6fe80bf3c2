"""Lambda's Runtime API over one kept-alive connection.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
AWS's own runtime for Python does the same with a client in C++, and more around it.
"""

import http.client
import json
import os
from collections.abc import Callable
from typing import Any

INVOCATION = "/2018-06-01/runtime/invocation/"


def serve(handler: Callable[[dict[str, Any]], Any]) -> None:
    """Calls `handler(event)` for each invocation, for ever."""
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        connection.request("GET", INVOCATION + "next")
        invocation = connection.getresponse()
        request_id = invocation.headers["lambda-runtime-aws-request-id"]
        event = json.loads(invocation.read())
        try:
            end, answer = "response", handler(event)
        except Exception as error:
            end, answer = "error", {"errorType": type(error).__name__, "errorMessage": str(error)}
        connection.request("POST", f"{INVOCATION}{request_id}/{end}", json.dumps(answer))
        connection.getresponse().read()
