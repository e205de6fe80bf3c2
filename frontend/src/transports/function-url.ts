/** function-url: a POST whose answer is a stream of server-sent events. */

import { Arrivals, PATIENCE, type Patience, patienceBehind } from './arrivals'
import { del, get, post, refusal } from './function-url-http'
import { RequestTiming } from './resource-timing'
import { serverSentEvents } from './server-sent-events'
import { type ChatRequest, type Marks, type Session, type Transport, TransportError } from './transport'

/** How long to look for the end of the body after the terminal event: the browser tells its timing only then. */
const TRAILING_MS = 500

export function functionUrl(url: string, patience: Patience = PATIENCE): Transport {
  return {
    stream: (request, session, signal, marks) => stream(url, patience, request, session, signal, marks),
    resume(streamId, after, session, signal, marks) {
      const ask = (signal: AbortSignal) => get(url, streamId, after, session, signal)
      const watch: Watch = { answered: at => marks?.connected?.(at) }
      return receive(ask, streamId, signal, patienceBehind(patience, after), watch)
    },
    async cancel(streamId, session) {
      const response = await del(url, streamId, session)
      if (!response.ok) throw await refusal(response)
    },
  }
}

async function* stream(
  url: string,
  patience: Patience,
  request: ChatRequest,
  session: Session,
  signal: AbortSignal,
  marks: Marks | undefined,
) {
  const timing = new RequestTiming(url)
  const tellWhenSent = async (answeredAt: number, status: number) => {
    const sentAt = await timing.sentAt(answeredAt, status)
    if (sentAt !== undefined) marks?.connected?.(sentAt)
  }
  let answeredAt = 0
  const watch: Watch = {
    answered(at) {
      answeredAt = at
      marks?.connected?.(at)
    },
    // The server has asked the model three times before it refuses: its answer says nothing about connecting.
    refused: tellWhenSent,
    read: () => tellWhenSent(answeredAt, 200),
  }
  try {
    yield* receive(signal => post(url, request, session, signal), request.streamId, signal, patience, watch)
  } finally {
    timing.close()
  }
}

/** What became of the request, for whoever takes times. */
interface Watch {
  answered(at: number): void
  refused?: (at: number, status: number) => Promise<void>
  /** The body has been read to its end. */
  read?: () => Promise<void>
}

async function* receive(
  ask: (signal: AbortSignal) => Promise<Response>,
  streamId: string,
  signal: AbortSignal,
  patience: Patience,
  watch: Watch,
) {
  const arrivals = new Arrivals(signal, patience)
  const connection = new AbortController()
  const abort = () => connection.abort()
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  try {
    const body = read(ask(connection.signal), streamId, arrivals, watch)
    yield* arrivals
    // Everything has been handed out: who watches the answer does not wait for this.
    if (watch.read && !signal.aborted && (await within(TRAILING_MS, body))) await watch.read()
  } finally {
    signal.removeEventListener('abort', abort)
    connection.abort()
  }
}

/** Never rejects: what goes wrong is told to `arrivals`. True when the body was read to its end. */
async function read(asked: Promise<Response>, streamId: string, arrivals: Arrivals, watch: Watch): Promise<boolean> {
  try {
    const response = await asked
    const answeredAt = performance.now()
    if (response.status !== 200) {
      const error = await refusal(response)
      await watch.refused?.(answeredAt, response.status)
      throw error
    }
    watch.answered(answeredAt)
    if (!response.headers.get('content-type')?.startsWith('text/event-stream') || !response.body) {
      const message = 'The answer is not a stream of server-sent events. Is the address that of a Function URL?'
      throw new TransportError({ phase: 'request', code: 'protocol', message, retryable: false })
    }
    const reader = response.body.getReader()
    const feed = serverSentEvents(streamId, received => arrivals.push(received))
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

async function within(limit: number, body: Promise<boolean>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<boolean>(resolve => {
    timer = setTimeout(() => resolve(false), limit)
  })
  return Promise.race([body, late]).finally(() => clearTimeout(timer))
}
