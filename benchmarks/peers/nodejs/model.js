// The model's answer as the events of the stream contract (protocol/README.md), a delta for each token.
import { BedrockRuntimeClient, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'

const { MODEL_ID, MODEL_REQUEST_FIELDS } = process.env
// The SDK's default for Bedrock is HTTP/2, which the stand-in does not speak.
const bedrock = new BedrockRuntimeClient({ requestHandler: new NodeHttpHandler() })
const additionalModelRequestFields = MODEL_REQUEST_FIELDS ? JSON.parse(MODEL_REQUEST_FIELDS) : undefined

export async function* answer(streamId, messages, system, maxTokens) {
  const began = Date.now()
  let seq = 0
  const numbered = (type, fields) => ({ type, stream_id: streamId, seq: seq++, ...fields })
  const { stream } = await bedrock.send(
    new ConverseStreamCommand({
      modelId: MODEL_ID,
      messages: messages.map(({ role, content }) => ({ role, content: [{ text: content }] })),
      system: system ? [{ text: system }] : undefined,
      inferenceConfig: { maxTokens },
      additionalModelRequestFields,
    }),
  )
  yield numbered('start', { model: MODEL_ID })
  let firstToken
  let stopReason
  let usage
  for await (const { contentBlockDelta, messageStop, metadata } of stream) {
    if (contentBlockDelta?.delta?.text) {
      firstToken ??= Date.now() - began
      yield numbered('delta', { text: contentBlockDelta.delta.text })
    }
    if (messageStop) stopReason = messageStop.stopReason
    if (metadata) usage = { input_tokens: metadata.usage.inputTokens, output_tokens: metadata.usage.outputTokens }
  }
  yield numbered('done', {
    stop_reason: stopReason,
    usage,
    timing: { first_token_ms: firstToken, total_ms: Date.now() - began },
  })
}
