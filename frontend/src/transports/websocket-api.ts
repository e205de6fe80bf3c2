/** websocket-api: JSON messages with an `action` up, one event a message down. */

import { Arrivals, type Patience } from './arrivals'
import { bytesOf, requestBody } from './request-body'
import { type ChatRequest, type Transport, TransportError } from './transport'
import { WebSocketConnection } from './websocket-connection'

/**
 * API Gateway closes a connection over a larger frame (1009), and a browser cannot split a message into frames.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
 */
const MAX_MESSAGE = 32 * 1024

/** API Gateway ends every connection after 2 hours: one that might not last for an answer is not used again. */
const MAX_AGE_MS = 110 * 60_000

/** A connection for every answer, as a comparison needs it: closing it also stops the model. */
export function websocketApi(url: string, patience?: Patience): Transport {
  return async function* (request, session, signal, marks) {
    const message = messageOf(request)
    const arrivals = new Arrivals(signal, patience)
    const connection = await WebSocketConnection.open(url, session.accessToken, signal).catch(failure => {
      arrivals.fail(failure)
      return undefined
    })
    try {
      if (connection && !arrivals.ended) {
        marks?.connected?.(performance.now())
        connection.start(request.streamId, message, arrivals)
      }
      yield* arrivals
    } finally {
      connection?.close()
    }
  }
}

/** A transport whose answers share a connection, as a conversation needs it. */
export interface KeptTransport {
  transport: Transport
  close(): void
}

/**
 * Opens at the first answer. Opens anew when the connection was closed, has become old, or belongs to another token:
 * the server would refuse its next stream once that one has expired.
 */
export function keptWebsocketApi(url: string, patience?: Patience): KeptTransport {
  let kept: Kept | undefined
  const forget = () => {
    // Answers that still run keep their connection, and the last of them closes it.
    const former = kept?.connection
    kept = undefined
    if (former?.streams === 0) former.close()
  }
  const connect = async (accessToken: string): Promise<WebSocketConnection> => {
    while (kept && kept.accessToken === accessToken && performance.now() - kept.at < MAX_AGE_MS) {
      const current = kept
      const connection = await current.opening
      if (connection.isOpen) return connection
      if (kept === current) kept = undefined
    }
    forget()
    // Whoever stops waiting must not stop the others, so no signal of theirs goes along.
    const opening = WebSocketConnection.open(url, accessToken, new AbortController().signal)
    const current: Kept = { opening, connection: undefined, accessToken, at: performance.now() }
    kept = current
    try {
      current.connection = await opening
    } catch (failure) {
      if (kept === current) kept = undefined
      throw failure
    }
    return current.connection
  }

  const transport: Transport = async function* (request, session, signal, marks) {
    const message = messageOf(request)
    const connection = await unlessAborted(connect(session.accessToken), signal)
    if (!connection) return
    marks?.connected?.(performance.now())
    const arrivals = new Arrivals(signal, patience)
    try {
      connection.start(request.streamId, message, arrivals)
      yield* arrivals
    } finally {
      connection.leave(request.streamId)
      // Only a closed connection stops the model: worth it where nobody else uses it.
      const reusable = kept?.connection === connection && arrivals.complete
      if (connection.streams === 0 && !reusable) connection.close()
    }
  }
  return { transport, close: forget }
}

interface Kept {
  opening: Promise<WebSocketConnection>
  connection: WebSocketConnection | undefined
  accessToken: string
  at: number
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
