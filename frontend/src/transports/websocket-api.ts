/** websocket-api: JSON messages with an `action` up, one event a message down. */

import type { ErrorEvent, StreamEvent } from '../contract/event'
import { Arrivals, PATIENCE, type Patience, patienceBehind } from './arrivals'
import { bytesOf, requestBody } from './request-body'
import { type ChatRequest, type Marks, type Received, type Session, type Transport, TransportError } from './transport'
import { WebSocketConnection } from './websocket-connection'

/**
 * API Gateway closes a connection over a larger frame (1009), and a browser cannot split a message into frames.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
 */
const MAX_MESSAGE = 32 * 1024

/** How long to wait for a refusal of `cancel`, where the answer's own connection is gone: nothing else is said. */
const REFUSAL_MS = 1_000

/** Where an answer gets its connection from. */
export interface Connections {
  take(accessToken: string, signal: AbortSignal): Promise<WebSocketConnection>
  /** Clean: nothing is under way on it that nobody hears any more. */
  giveBack(connection: WebSocketConnection, clean: boolean): void
}

/** A connection for every answer, as a comparison needs it. */
export function websocketApi(url: string, patience?: Patience): Transport {
  const connections: Connections = {
    take: (accessToken, signal) => WebSocketConnection.open(url, accessToken, signal),
    giveBack: connection => connection.close(),
  }
  return overConnections(url, connections, patience)
}

/** An answer under way here. */
interface Running {
  connection?: WebSocketConnection
  /** The connection's: the server looks at its expiry with each message. */
  accessToken: string
  /** The server has been asked for it. */
  asked: boolean
}

export function overConnections(url: string, connections: Connections, patience: Patience = PATIENCE): Transport {
  const all = new Map<string, Running>()

  async function* run(
    { streamId, message, patience, asked }: { streamId: string; message: string; patience: Patience; asked: boolean },
    session: Session,
    signal: AbortSignal,
    marks?: Marks,
  ) {
    const running: Running = { asked, accessToken: session.accessToken }
    all.set(streamId, running)
    try {
      const taking = connections.take(session.accessToken, signal)
      const connection = await unlessAborted(taking, signal)
      if (!connection) {
        taking.then(unused => connections.giveBack(unused, true)).catch(() => undefined)
        return
      }
      marks?.connected?.(performance.now())
      const arrivals = new Arrivals(signal, patience)
      Object.assign(running, { connection, asked: true })
      try {
        connection.start(streamId, message, arrivals)
        yield* arrivals
      } finally {
        connection.leave(streamId, arrivals)
        connections.giveBack(connection, arrivals.complete)
      }
    } finally {
      if (all.get(streamId) === running) all.delete(streamId)
    }
  }

  return {
    async *stream(request, session, signal, marks) {
      const message = messageOf(request)
      yield* run({ streamId: request.streamId, message, patience, asked: false }, session, signal, marks)
    },
    resume(streamId, after, session, signal, marks) {
      const message = JSON.stringify({ action: 'resume', stream_id: streamId, ...(after !== undefined && { after }) })
      const waits = patienceBehind(patience, after)
      return unlessRefused(run({ streamId, message, patience: waits, asked: true }, session, signal, marks))
    },
    async cancel(streamId, session) {
      const running = all.get(streamId)
      if (running && !running.asked) throw notAskedFor()
      const sameToken = running?.accessToken === session.accessToken
      if (sameToken && running?.connection?.isOpen) return running.connection.cancel(streamId)
      const connection = await WebSocketConnection.open(url, session.accessToken, new AbortController().signal)
      let timer: ReturnType<typeof setTimeout> | undefined
      const unrefused = new Promise<void>(resolve => {
        timer = setTimeout(resolve, REFUSAL_MS)
      })
      await Promise.race([connection.cancel(streamId), unrefused]).finally(() => {
        clearTimeout(timer)
        connection.close()
      })
    },
  }
}

/**
 * A resumption is refused by an event, since there is nothing else in a WebSocket. Only `interrupted` is about the
 * answer itself: whoever was making it is gone.
 */
async function* unlessRefused(events: AsyncIterable<Received>): AsyncGenerator<Received, void> {
  let first = true
  for await (const received of events) {
    if (first && isRefusal(received.event)) throw TransportError.refusal(received.event)
    first &&= received.event.type === 'ping'
    yield received
  }
}

function isRefusal(event: StreamEvent): event is ErrorEvent {
  return event.type === 'error' && event.seq === undefined && event.code !== 'interrupted'
}

/** Undefined once it was aborted, which is no failure. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(undefined)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort)
    promise
      .then(resolve, failure => (signal.aborted ? resolve(undefined) : reject(failure)))
      .finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function notAskedFor(): TransportError {
  const message = 'The answer has not been asked for yet.'
  return new TransportError({ phase: 'connect', code: 'not_found', message, retryable: false })
}

function messageOf(request: ChatRequest): string {
  const message = JSON.stringify({ action: 'stream', ...requestBody(request) })
  const size = bytesOf(message)
  if (size <= MAX_MESSAGE) return message
  throw new TransportError({
    phase: 'request',
    code: 'payload_too_large',
    message: `The conversation has ${Math.ceil(size / 1024)} KB; API Gateway takes at most 32 KB in a WebSocket message.`,
    retryable: false,
  })
}
