"""A WebSocket API's function as a Python developer would write it: ask, and post each token as it comes."""

import base64
import json
import os
import time
from collections.abc import Iterator
from typing import Any

import boto3

from runtime import serve

MODEL_ID = os.environ["MODEL_ID"]
MODEL_REQUEST_FIELDS = json.loads(os.environ.get("MODEL_REQUEST_FIELDS") or "{}")
MAX_OUTPUT_TOKENS = int(os.environ.get("MAX_OUTPUT_TOKENS") or 1024)

bedrock = boto3.client("bedrock-runtime")
connections = boto3.client("apigatewaymanagementapi", endpoint_url=os.environ["CONNECTIONS_URL"])


def handler(event: dict[str, Any]) -> None:
    """Answers one message `{"action": "stream", ...}`."""
    connection_id = event["requestContext"]["connectionId"]
    body = event["body"]
    request = json.loads(base64.b64decode(body) if event.get("isBase64Encoded") else body)
    for part in answer(request):
        connections.post_to_connection(ConnectionId=connection_id, Data=json.dumps(part).encode())


def answer(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The events of the stream contract, a delta for each token."""
    began = time.monotonic()
    messages = request.get("messages") or [{"role": "user", "content": request["prompt"]}]
    system = {"system": [{"text": request["system"]}]} if request.get("system") else {}
    response = bedrock.converse_stream(
        modelId=MODEL_ID,
        messages=[{"role": turn["role"], "content": [{"text": turn["content"]}]} for turn in messages],
        inferenceConfig={"maxTokens": min(request.get("max_tokens") or MAX_OUTPUT_TOKENS, MAX_OUTPUT_TOKENS)},
        additionalModelRequestFields=MODEL_REQUEST_FIELDS,
        **system,
    )
    seq = 0

    def numbered(kind: str, **fields: Any) -> dict[str, Any]:
        nonlocal seq
        seq += 1
        return {"type": kind, "stream_id": request["stream_id"], "seq": seq - 1, **fields}

    yield numbered("start", model=MODEL_ID)
    first_token = stop_reason = usage = None
    for event in response["stream"]:
        if text := event.get("contentBlockDelta", {}).get("delta", {}).get("text"):
            first_token = first_token or round((time.monotonic() - began) * 1000)
            yield numbered("delta", text=text)
        if "messageStop" in event:
            stop_reason = event["messageStop"]["stopReason"]
        if "metadata" in event:
            billed = event["metadata"]["usage"]
            usage = {"input_tokens": billed["inputTokens"], "output_tokens": billed["outputTokens"]}
    timing = {"first_token_ms": first_token, "total_ms": round((time.monotonic() - began) * 1000)}
    yield numbered("done", stop_reason=stop_reason, usage=usage, timing=timing)


if __name__ == "__main__":
    serve(handler)
