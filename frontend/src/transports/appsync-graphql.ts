import { isErrorCode } from '../contract/error-code'
import { ContractError, decodeEvent, type StreamEvent } from '../contract/event'
import { type ChatRequest, type Session, TransportError } from './transport'

/** Selects every field, so that one subscription serves every type of event. */
export const SUBSCRIPTION = `subscription ($sessionId: ID!) { onTokenReceived(sessionId: $sessionId) { \
sessionId owner type seq text model stopReason inputTokens outputTokens firstTokenMs totalMs code message retryable } }`

const START_STREAM = `mutation ($sessionId: ID!, $messages: [ChatMessageInput!], $system: String, $maxTokens: Int) { \
startStream(sessionId: $sessionId, messages: $messages, system: $system, maxTokens: $maxTokens) { sessionId } }`

type Json = Record<string, unknown>

/** One event out of the payload of a `data` message. */
export function eventOf(payload: unknown): StreamEvent {
  const fields = object(object(object(payload)?.data)?.onTokenReceived)
  if (!fields || typeof fields.type !== 'string') throw new ContractError('A data message has no event.')
  const hasUsage = isGiven(fields.inputTokens) || isGiven(fields.outputTokens)
  return decodeEvent({
    type: fields.type.toLowerCase(),
    stream_id: fields.sessionId,
    seq: fields.seq,
    model: fields.model,
    text: fields.text,
    stop_reason: fields.stopReason,
    usage: hasUsage ? { input_tokens: fields.inputTokens, output_tokens: fields.outputTokens } : undefined,
    timing: { first_token_ms: fields.firstTokenMs, total_ms: fields.totalMs },
    code: fields.code,
    message: fields.message,
    retryable: fields.retryable,
  })
}

/** Calls `startStream`. Rejects with a `TransportError` unless the answer has been queued. */
export async function startStream(url: string, request: ChatRequest, session: Session, signal: AbortSignal) {
  const { streamId: sessionId, messages, system, maxTokens } = request
  const variables = { sessionId, messages: messages.map(({ role, content }) => ({ role, content })), system, maxTokens }
  let response: Response
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { Authorization: session.accessToken, 'Content-Type': 'application/json' },
      body: JSON.stringify({ query: START_STREAM, variables }),
      cache: 'no-store',
      credentials: 'omit',
      signal,
    })
  } catch (cause) {
    const message = 'The GraphQL endpoint could not be reached.'
    throw new TransportError({ phase: 'request', code: 'network', message, retryable: true, cause })
  }
  const answer = object(await response.json().catch(() => undefined))
  const [error] = Array.isArray(answer?.errors) ? answer.errors : []
  if (error) throw refusal(object(error) ?? {})
  if (response.status !== 200 || object(object(answer?.data)?.startStream)?.sessionId !== sessionId) {
    const message = `AppSync answered startStream with status ${response.status} and did not start the stream.`
    const retryable = response.status === 429 || response.status >= 500
    throw new TransportError({ phase: 'request', code: 'internal', message, retryable })
  }
}

/** `errorType` is the contract's code when our functions refuse; AppSync's own errors have types of their own. */
function refusal({ errorType, message, errorInfo }: Json): TransportError {
  const type = typeof errorType === 'string' ? errorType : ''
  const said = typeof message === 'string' ? message : 'AppSync refused the request and gave no reason.'
  if (isErrorCode(type)) {
    const retryable = object(errorInfo)?.retryable === true
    return new TransportError({ phase: 'request', code: type, message: said, retryable })
  }
  const code = type.startsWith('Unauthorized') ? 'unauthorized' : 'internal'
  return new TransportError({ phase: 'request', code, message: type ? `${said} (${type})` : said, retryable: false })
}

function object(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null ? (value as Json) : undefined
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}
