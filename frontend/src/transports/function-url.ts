/** function-url: a POST whose answer is a stream of server-sent events. */

import { decodeEvent } from '../contract/event'
import { Arrivals, type Patience } from './arrivals'
import { requestBody } from './request-body'
import { RequestTiming } from './resource-timing'
import { serverSentEvents } from './server-sent-events'
import { type ChatRequest, type Marks, type Session, type Transport, TransportError } from './transport'

/** How long to look for the end of the body after the terminal event: the browser tells its timing only then. */
const TRAILING_MS = 500

export function functionUrl(url: string, patience?: Patience): Transport {
  return (request, session, signal, marks) => stream(url, patience, request, session, signal, marks)
}

async function* stream(
  url: string,
  patience: Patience | undefined,
  request: ChatRequest,
  session: Session,
  signal: AbortSignal,
  marks: Marks | undefined,
) {
  const arrivals = new Arrivals(signal, patience)
  const connection = new AbortController()
  const abort = () => connection.abort()
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  const timing = new RequestTiming(url)
  try {
    let answeredAt = 0
    const onAnswered = (at: number) => {
      answeredAt = at
      marks?.connected?.(at)
    }
    const onRefused = (at: number, status: number) => tellWhenSent(timing, at, status, marks)
    const body = receive(url, request, session, connection.signal, onAnswered, onRefused, arrivals)
    yield* arrivals
    // Everything has been handed out: who watches the answer does not wait for this.
    if (!signal.aborted && (await within(TRAILING_MS, body))) await tellWhenSent(timing, answeredAt, 200, marks)
  } finally {
    timing.close()
    signal.removeEventListener('abort', abort)
    connection.abort()
  }
}

async function tellWhenSent(timing: RequestTiming, answeredAt: number, status: number, marks: Marks | undefined) {
  const sentAt = await timing.sentAt(answeredAt, status)
  if (sentAt !== undefined) marks?.connected?.(sentAt)
}

/** Never rejects: what goes wrong is told to `arrivals`. True when the body was read to its end. */
async function receive(
  url: string,
  request: ChatRequest,
  session: Session,
  signal: AbortSignal,
  onAnswered: (at: number) => void,
  onRefused: (at: number, status: number) => Promise<void>,
  arrivals: Arrivals,
): Promise<boolean> {
  try {
    const response = await post(url, request, session, signal)
    const answeredAt = performance.now()
    if (response.status !== 200) {
      const error = await refusal(response)
      // The server has asked the model three times before it refuses: its answer says nothing about connecting.
      await onRefused(answeredAt, response.status)
      throw error
    }
    onAnswered(answeredAt)
    if (!response.headers.get('content-type')?.startsWith('text/event-stream') || !response.body) {
      const message = 'The answer is not a stream of server-sent events. Is the address that of a Function URL?'
      throw new TransportError({ phase: 'request', code: 'protocol', message, retryable: false })
    }
    const reader = response.body.getReader()
    const feed = serverSentEvents(request.streamId, received => arrivals.push(received))
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      feed(value, performance.now())
    }
    arrivals.close()
    return true
  } catch (error) {
    arrivals.fail(error)
    return false
  }
}

async function post(url: string, request: ChatRequest, session: Session, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${session.accessToken}`,
        Accept: 'text/event-stream',
        'Content-Type': 'application/json',
      },
      body: JSON.stringify(requestBody(request)),
      cache: 'no-store',
      credentials: 'omit',
      signal,
    })
  } catch (cause) {
    const message = 'The Function URL could not be reached, or does not allow requests from this page (CORS).'
    throw new TransportError({ phase: 'connect', code: 'network', message, retryable: true, cause })
  }
}

/** Before the stream an error is a status, with the contract's event as its body, unless AWS itself refused. */
async function refusal(response: Response): Promise<TransportError> {
  const { status } = response
  const event = await response
    .json()
    .then(decodeEvent)
    .catch(() => undefined)
  if (event?.type === 'error') {
    return new TransportError({ phase: 'request', ...event })
  }
  const code = status === 429 ? 'rate_limited' : status === 401 || status === 403 ? 'unauthorized' : 'internal'
  const message = `The Function URL answered with status ${status} and no event: AWS has refused the request itself.`
  return new TransportError({ phase: 'request', code, message, retryable: status === 429 || status >= 500 })
}

async function within(limit: number, body: Promise<boolean>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<boolean>(resolve => {
    timer = setTimeout(() => resolve(false), limit)
  })
  return Promise.race([body, late]).finally(() => clearTimeout(timer))
}
