// A Function URL's function as a Node.js developer would write it: verify, ask, write each token as it comes.
import { once } from 'node:events'
import { answer } from './model.js'
import { serveStreaming } from './runtime.js'
import { verifier } from './verifier.js'

const MAX_OUTPUT_TOKENS = Number(process.env.MAX_OUTPUT_TOKENS ?? 1024)
const tokens = verifier()

serveStreaming(async (event, respond) => {
  const refuse = (statusCode, code, message) =>
    respond({ statusCode, headers: { 'content-type': 'application/json' } }).write(
      JSON.stringify({ type: 'error', code, message, retryable: false }),
    )
  try {
    await tokens.verify((event.headers.authorization ?? '').replace(/^Bearer /, ''))
  } catch {
    return refuse(401, 'unauthorized', 'No valid access token.')
  }
  const body = event.isBase64Encoded ? Buffer.from(event.body, 'base64').toString() : event.body
  const { stream_id, prompt, messages, system, max_tokens } = JSON.parse(body)
  if (!prompt && !messages) return refuse(400, 'invalid_request', 'Give a prompt or messages.')
  const turns = messages ?? [{ role: 'user', content: prompt }]
  const maxTokens = Math.min(max_tokens ?? MAX_OUTPUT_TOKENS, MAX_OUTPUT_TOKENS)

  const response = respond({
    statusCode: 200,
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
  })
  for await (const part of answer(stream_id, turns, system, maxTokens)) {
    if (!response.write(`id: ${part.seq}\ndata: ${JSON.stringify(part)}\n\n`)) await once(response, 'drain')
  }
})
