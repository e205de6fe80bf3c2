"""Starts MiniStack with changes, each where it differs from AWS in a way that would hide what is under test.

ministack_wrapper.py <journal> <seconds between the model's frames> <the same, slowly>

It ends, with every function that it started, when its standard input does: whatever happens to the harness.
"""

import asyncio
import json
import os
import signal
import sys
import threading
import time
from contextvars import ContextVar
from urllib.parse import unquote

import ministack.app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import StreamingResponse, get_account_id, get_region
from ministack.services import apigateway, appsync, bedrock_runtime, cognito, lambda_svc

from addresses import local

JOURNAL, FRAME_PAUSE_SECONDS, SLOW_FRAME_PAUSE_SECONDS = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
MODEL_ACTION = "bedrock:InvokeModelWithResponseStream"
# A region, besides its own, that the inference profile is said to route to.
FAR_REGION = "us-west-2"

journal_lock = threading.Lock()


def note(kind, **fields):
    line = json.dumps({"at": time.time(), "kind": kind, **fields}) + "\n"
    with journal_lock, open(JOURNAL, "a", encoding="utf-8") as journal:
        journal.write(line)


def pass_on_the_subprotocol():
    """Browsers and Node refuse a connection on which the server chose none of their subprotocols."""
    chosen = ContextVar("chosen", default=None)
    invoke, handle = apigateway._invoke_ws_lambda, apigateway.handle_websocket

    async def invoke_and_remember(*arguments, **named):
        response = await invoke(*arguments, **named)
        headers = {name.lower(): value for name, value in ((response or {}).get("headers") or {}).items()}
        if "sec-websocket-protocol" in headers:
            chosen.set(headers["sec-websocket-protocol"])
        return response

    async def handle_with_subprotocol(scope, receive, send, *arguments, **named):
        async def send_chosen(message):
            if message["type"] == "websocket.accept" and chosen.get():
                message = {**message, "subprotocol": chosen.get()}
            await send(message)

        await handle(scope, receive, send_chosen, *arguments, **named)

    apigateway._invoke_ws_lambda, apigateway.handle_websocket = invoke_and_remember, handle_with_subprotocol


def stand_in_for_dns():
    """Where a function is started, and there alone: the Lambda API tells what Terraform wrote."""
    environment_of = lambda_svc._provided_worker_env

    def with_local_addresses(*arguments):
        # The issuer is compared to the letter and never connected to.
        environment = {
            name: value if name == "COGNITO_ISSUER" else local(value, ENDPOINT)
            for name, value in environment_of(*arguments).items()
        }
        services = ("BEDROCK_RUNTIME", "DYNAMODB", "SQS")
        return {**environment, **{f"AWS_ENDPOINT_URL_{service}": ENDPOINT for service in services}}

    lambda_svc._provided_worker_env = with_local_addresses


def end_tls_in_front():
    """AWS has no plain HTTP, so a queue's policy against it must not refuse this one. A request may still say
    `x-forwarded-proto: http`."""
    serve = ministack.app.app

    async def serve_as_if_over_tls(scope, receive, send):
        if scope["type"] == "http" and b"x-forwarded-proto" not in dict(scope["headers"]):
            scope = {**scope, "headers": [*scope["headers"], (b"x-forwarded-proto", b"https")]}
        await serve(scope, receive, send)

    ministack.app.app = serve_as_if_over_tls


def answer_as_api_gateway():
    """MiniStack adds to a WebSocket API, and forgets of it, what AWS does not: to Terraform that is drift."""
    create_api, create_authorizer = apigateway._create_api, apigateway._create_authorizer
    create_integration = apigateway._create_integration

    def api_with_address(data):
        response = create_api(data)
        api = apigateway._apis[json.loads(response[2])["apiId"]]
        api["apiEndpoint"] = f"wss://{api['apiId']}.execute-api.{get_region()}.amazonaws.com"
        return response

    def bare_authorizer(api_id, data):
        response = create_authorizer(api_id, data)
        authorizer = apigateway._authorizers[api_id][json.loads(response[2])["authorizerId"]]
        for name in {"jwtConfiguration", "authorizerPayloadFormatVersion"} - data.keys():
            del authorizer[name]
        return response

    def whole_integration(api_id, data):
        response = create_integration(api_id, data)
        integration = apigateway._integrations[api_id][json.loads(response[2])["integrationId"]]
        for name in {"passthroughBehavior", "templateSelectionExpression"} & data.keys():
            integration[name] = data[name]
        return response

    apigateway._create_api, apigateway._create_authorizer = api_with_address, bare_authorizer
    apigateway._create_integration = whole_integration


def invoke_asynchronously():
    """As an integration may ask by a header. MiniStack waits for the answer, and until then neither reads the
    connection's next message nor notices that it is closed."""
    invoke, running = apigateway._invoke_ws_lambda, set()

    async def invoke_or_start(api_id, account, region, route, *arguments, **named):
        integration = apigateway._integrations[api_id].get(route["target"].removeprefix("integrations/"), {})
        parameters = integration.get("requestParameters") or {}
        answer = invoke(api_id, account, region, route, *arguments, **named)
        if parameters.get("integration.request.header.X-Amz-Invocation-Type") != "'Event'":
            return await answer
        # Nothing else holds it, and a task that nothing holds may be thrown away.
        running.add(task := asyncio.create_task(answer))
        task.add_done_callback(running.discard)
        return None

    apigateway._invoke_ws_lambda = invoke_or_start


def authorize_the_model():
    """ConverseStream needs `bedrock:InvokeModelWithResponseStream` on the inference profile that it names.
    MiniStack asks for `bedrock:ConverseStream` on a model of that name."""
    action_of, resource_of = iam_actions.extract_iam_action, iam_actions.extract_resource_arn

    def action(service, method, path, *arguments):
        if service == "bedrock-runtime" and path.endswith("/converse-stream"):
            return MODEL_ACTION
        return action_of(service, method, path, *arguments)

    def resource(service, method, path, *arguments):
        if service == "bedrock-runtime" and path.endswith("/converse-stream"):
            return profile_arn(unquote(path.split("/")[2]), get_region(), get_account_id())
        return resource_of(service, method, path, *arguments)

    iam_actions.extract_iam_action, iam_actions.extract_resource_arn = action, resource


def refuse_by_the_model(profile, headers):
    """And on the model in each region that the profile routes to, by way of the profile: here in two."""
    condition = {"bedrock:InferenceProfileArn": profile_arn(profile, get_region(), get_account_id())}
    for region in (get_region(), FAR_REGION):
        model = f"arn:aws:bedrock:{region}::foundation-model/{profile.split('.', 1)[1]}"
        refusal = ministack.app._enforce_data_plane(
            "bedrock-runtime", MODEL_ACTION, headers, {}, "", resource_arn=model, service_context=condition
        )
        if refusal:
            return refusal
    return None


def profile_arn(profile, region, account):
    return f"arn:aws:bedrock:{region}:{account}:inference-profile/{profile}"


def stream_the_model():
    """The frames leave one by one with a pause between, not at once: streaming is proved by arrival times.
    Where the prompt says `slowly` there is time to do something in the middle."""
    converse_stream = bedrock_runtime._converse_stream

    def converse_over_time(model, headers, body):
        if refusal := refuse_by_the_model(model, headers):
            return refusal
        question = body.decode()
        status, headers, answer = converse_stream(model, headers, body)
        if status != 200:
            return status, headers, answer
        frames = list(split(answer))
        note("model_call", model=model, text="".join(map(text, frames)))
        pause = SLOW_FRAME_PAUSE_SECONDS if "slowly" in question else FRAME_PAUSE_SECONDS

        async def run(send, receive):
            gone = asyncio.ensure_future(disconnection(receive))
            for left in reversed(range(len(frames))):
                await send({"type": "http.response.body", "body": frames[-1 - left], "more_body": True})
                await asyncio.wait({gone}, timeout=pause)
                # After the last frame everybody leaves.
                if left and gone.done():
                    note("model_stopped", frames_left=left)
                    return
            gone.cancel()
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        return status, headers, StreamingResponse(run)

    bedrock_runtime._converse_stream = converse_over_time


async def disconnection(receive):
    while (await receive())["type"] != "http.disconnect":
        pass


def split(answer):
    while answer:
        # A frame begins with its length...
        length = int.from_bytes(answer[:4], "big")
        yield answer[:length]
        answer = answer[length:]


def text(frame):
    # ... then comes that of its headers. Checksums are before the headers and at the end.
    headers = int.from_bytes(frame[4:8], "big")
    return json.loads(frame[12 + headers : -4]).get("delta", {}).get("text", "")


def keep_a_journal():
    """What cannot be seen from outside: refused permissions, how users sign in, and, as there are no
    subscriptions, what is published."""
    enforce, execute, sign_in = iam_evaluator.enforce, appsync._execute_graphql, cognito._initiate_auth

    def enforce_and_note(key, action, *arguments, **named):
        refusal = enforce(key, action, *arguments, **named)
        if isinstance(refusal, iam_evaluator.EvalResult):
            note("denied", principal=refusal.principal_arn, action=action, resource=named["resource_arn"])
        return refusal

    def execute_and_note(api_id, request, *arguments):
        response = execute(api_id, request, *arguments)
        note("graphql", status=response[0], request=request, response=json.loads(response[2]))
        return response

    def sign_in_and_note(data, *arguments):
        note("sign_in", flow=data.get("AuthFlow"))
        return sign_in(data, *arguments)

    iam_evaluator.enforce, appsync._execute_graphql = enforce_and_note, execute_and_note
    cognito._initiate_auth = sign_in_and_note


def end_with_the_harness():
    def watch():
        sys.stdin.buffer.read()
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    end_with_the_harness()
    pass_on_the_subprotocol()
    stand_in_for_dns()
    end_tls_in_front()
    invoke_asynchronously()
    answer_as_api_gateway()
    authorize_the_model()
    stream_the_model()
    keep_a_journal()
    del sys.argv[1:]
    ministack.app.main()
