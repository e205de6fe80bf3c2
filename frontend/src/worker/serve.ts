import type { Settings } from '../settings'
import {
  type Marks,
  type Received,
  type Session,
  type Transport,
  TransportError,
  type TransportFailure,
} from '../transports/transport'
import type { Asked, FromWorker, Port, Served, ToWorker } from './messages'

/** The worker's side: runs the answers that it is asked for, and tells everything at once. */
export function serve(port: Port<FromWorker, ToWorker>, open: (settings: Settings) => Served) {
  const running = new Map<number, AbortController>()
  let served: Served | undefined

  async function run(asked: Extract<ToWorker, Asked>) {
    const { id, purpose, architecture, session } = asked
    const abort = new AbortController()
    running.set(id, abort)
    const marks: Marks = {
      connected: at => port.postMessage({ type: 'connected', id, at: at + performance.timeOrigin }),
      resumed: (at, after) => port.postMessage({ type: 'resumed', id, at: at + performance.timeOrigin, after }),
    }
    try {
      const transport = served?.[purpose][architecture]
      if (!transport) throw new Error(`There is no address for ${architecture}.`)
      if (asked.type === 'cancel') {
        await transport.cancel(asked.streamId, session)
      } else {
        port.postMessage({ type: 'began', id, at: performance.now() + performance.timeOrigin })
        for await (const { at, bytes, event } of events(transport, asked, session, abort.signal, marks)) {
          port.postMessage({ type: 'received', id, received: { at: at + performance.timeOrigin, bytes, event } })
        }
      }
      port.postMessage({ type: 'ended', id })
    } catch (error) {
      port.postMessage({ type: 'failed', id, ...failure(error) })
    } finally {
      running.delete(id)
    }
  }

  port.addEventListener('message', ({ data }) => {
    switch (data.type) {
      case 'open':
        served = open(data.settings)
        break
      case 'run':
      case 'resume':
      case 'cancel':
        void run(data)
        break
      case 'stop':
        running.get(data.id)?.abort()
        break
      case 'release':
        served?.release()
    }
  })
}

function events(
  transport: Transport,
  asked: Exclude<Asked, { type: 'cancel' }>,
  session: Session,
  signal: AbortSignal,
  marks: Marks,
): AsyncIterable<Received> {
  switch (asked.type) {
    case 'run':
      return transport.stream(asked.request, session, signal, marks)
    case 'resume':
      return transport.resume(asked.streamId, asked.after, session, signal, marks)
  }
}

function failure(error: unknown): TransportFailure {
  if (error instanceof TransportError) {
    const { phase, code, message, retryable, unexplained, retryAfter, perhapsSent } = error
    return { phase, code, message, retryable, unexplained, retryAfter, perhapsSent }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { phase: 'stream' as const, code: 'protocol' as const, message, retryable: true }
}
