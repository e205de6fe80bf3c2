// The sample's worker: each token is one mutation, signed and sent by a client that is made for it, over a connection of
// its own.
import { Sha256 } from '@aws-crypto/sha256-js'
import { defaultProvider } from '@aws-sdk/credential-provider-node'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { HttpRequest } from '@smithy/protocol-http'
import { SignatureV4 } from '@smithy/signature-v4'
import { answer } from './model.js'
import { serve } from './runtime.js'

const { AWS_REGION, GRAPHQL_URL } = process.env
const QUERY = `mutation PublishToken($event: StreamEventInput!) {
  publishToken(event: $event) {
    sessionId owner type seq text model stopReason inputTokens outputTokens firstTokenMs totalMs code message retryable
  }
}`

serve(async ({ Records }) => {
  for (const { body } of Records) {
    const { owner, stream_id, messages, system, max_tokens } = JSON.parse(body)
    for await (const part of answer(stream_id, messages, system, max_tokens)) await publish(owner, part)
  }
  return { batchItemFailures: [] }
})

async function publish(owner, { type, stream_id, seq, text, model, stop_reason, usage, timing }) {
  const event = {
    sessionId: stream_id,
    owner,
    type: type.toUpperCase(),
    seq,
    text,
    model,
    stopReason: stop_reason,
    inputTokens: usage?.input_tokens,
    outputTokens: usage?.output_tokens,
    firstTokenMs: timing?.first_token_ms,
    totalMs: timing?.total_ms,
  }
  const { protocol, hostname, port, pathname, host } = new URL(GRAPHQL_URL)
  const signer = new SignatureV4({
    credentials: defaultProvider(),
    region: AWS_REGION,
    service: 'appsync',
    sha256: Sha256,
  })
  const request = await signer.sign(
    new HttpRequest({
      method: 'POST',
      protocol,
      hostname,
      port: port ? Number(port) : undefined,
      path: pathname,
      headers: { host, 'content-type': 'application/json' },
      body: JSON.stringify({ query: QUERY, variables: { event } }),
    }),
  )
  const client = new NodeHttpHandler()
  const { response } = await client.handle(request)
  const chunks = []
  for await (const chunk of response.body) chunks.push(chunk)
  client.destroy()
  const { errors } = JSON.parse(Buffer.concat(chunks).toString())
  if (errors?.length) throw new Error(errors[0].errorType)
}
