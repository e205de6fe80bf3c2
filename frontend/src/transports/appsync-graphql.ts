import { isErrorCode } from '../contract/error-code'
import { ContractError, decodeEvent, type StreamEvent } from '../contract/event'
import { type ChatRequest, type Session, TransportError } from './transport'

/** Every field, so that one selection serves every type of event. */
const FIELDS =
  'sessionId owner type seq text model stopReason inputTokens outputTokens firstTokenMs totalMs code message retryable'

export const SUBSCRIPTION = `subscription ($sessionId: ID!) { onTokenReceived(sessionId: $sessionId) { ${FIELDS} } }`

const START_STREAM = `mutation ($sessionId: ID!, $messages: [ChatMessageInput!], $system: String, $maxTokens: Int) { \
startStream(sessionId: $sessionId, messages: $messages, system: $system, maxTokens: $maxTokens) { sessionId } }`

const CANCEL_STREAM = `mutation ($sessionId: ID!) { cancelStream(sessionId: $sessionId) { sessionId } }`

const STREAM_EVENTS = `query ($sessionId: ID!, $after: Int) { streamEvents(sessionId: $sessionId, after: $after) { \
ended events { ${FIELDS} } } }`

type Json = Record<string, unknown>

/** One event out of the payload of a `data` message. */
export function eventOf(payload: unknown): StreamEvent {
  const fields = object(object(object(payload)?.data)?.onTokenReceived)
  if (!fields) throw new ContractError('A data message has no event.')
  return decodeFields(fields)
}

/** Asks for an answer. Rejects with a `TransportError` unless it has been queued. */
export async function startStream(url: string, request: ChatRequest, session: Session, signal: AbortSignal) {
  const { streamId: sessionId, messages, system, maxTokens } = request
  const variables = { sessionId, messages: messages.map(({ role, content }) => ({ role, content })), system, maxTokens }
  const started = await ask(url, 'startStream', START_STREAM, variables, session, signal)
  if (started.sessionId !== sessionId) throw unexpected('startStream', 200)
}

/** Stops an answer. Rejects with a `TransportError` unless the server has taken note of it. */
export async function cancelStream(url: string, sessionId: string, session: Session) {
  await ask(url, 'cancelStream', CANCEL_STREAM, { sessionId }, session)
}

export interface Logged {
  events: { event: StreamEvent; bytes: number }[]
  /** The terminal event is among them. */
  ended: boolean
}

/** What the log has of an answer behind `after`, as far as one call holds it. */
export async function streamEvents(
  url: string,
  sessionId: string,
  after: number | undefined,
  session: Session,
  signal: AbortSignal,
): Promise<Logged> {
  const logged = await ask(url, 'streamEvents', STREAM_EVENTS, { sessionId, after }, session, signal)
  if (!Array.isArray(logged.events)) throw unexpected('streamEvents', 200)
  const events = logged.events.map(fields => ({
    event: decodeFields(object(fields) ?? {}),
    bytes: new TextEncoder().encode(JSON.stringify(fields)).length,
  }))
  return { events, ended: logged.ended === true }
}

function decodeFields(fields: Json): StreamEvent {
  if (typeof fields.type !== 'string') throw new ContractError('An event has no type.')
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

/** One operation, whose field has the same name. */
async function ask(
  url: string,
  field: string,
  query: string,
  variables: Json,
  session: Session,
  signal?: AbortSignal,
): Promise<Json> {
  let response: Response
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { Authorization: session.accessToken, 'Content-Type': 'application/json' },
      body: JSON.stringify({ query, variables }),
      cache: 'no-store',
      credentials: 'omit',
      ...(signal && { signal }),
    })
  } catch (cause) {
    const message = 'The GraphQL endpoint could not be reached.'
    throw new TransportError({ phase: 'request', code: 'network', message, retryable: true, perhapsSent: true, cause })
  }
  const answer = object(await response.json().catch(() => undefined))
  const [error] = Array.isArray(answer?.errors) ? answer.errors : []
  if (error) throw refusal(object(error) ?? {})
  const found = object(object(answer?.data)?.[field])
  if (response.status !== 200 || !found) throw unexpected(field, response.status)
  return found
}

function unexpected(field: string, status: number): TransportError {
  const message = `AppSync answered ${field} with status ${status} and no result.`
  const retryable = status === 429 || status >= 500
  return new TransportError({ phase: 'request', code: 'internal', message, retryable })
}

/** `errorType` is the contract's code when our functions refuse; AppSync's own errors have types of their own. */
function refusal({ errorType, message, errorInfo }: Json): TransportError {
  const type = typeof errorType === 'string' ? errorType : ''
  const said = typeof message === 'string' ? message : 'AppSync refused the request and gave no reason.'
  if (isErrorCode(type)) {
    const { retryable, retryAfter } = object(errorInfo) ?? {}
    return new TransportError({
      phase: 'request',
      code: type,
      message: said,
      retryable: retryable === true,
      ...(typeof retryAfter === 'number' && { retryAfter }),
    })
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
