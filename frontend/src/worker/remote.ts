import type { Settings } from '../settings'
import {
  type Architecture,
  type Marks,
  type Received,
  type Session,
  type Transport,
  TransportError,
} from '../transports/transport'
import type { Asked, FromWorker, Port, Purpose, Served, ToWorker } from './messages'

/**
 * Transports that run in a worker. A page that draws three answers is busy for milliseconds at a time, and an event that
 * arrives meanwhile would be stamped late: the worker has nothing else to do than to receive.
 */
export function remote(port: Port<ToWorker, FromWorker>, settings: Settings): Served {
  const listeners = new Map<number, (message: FromWorker) => void>()
  let last = 0
  port.addEventListener('message', ({ data }) => listeners.get(data.id)?.(data))
  port.postMessage({ type: 'open', settings })

  const transport = (purpose: Purpose, architecture: Architecture): Transport => {
    async function* ask(asked: Asked, session: Session, signal: AbortSignal, marks?: Marks) {
      if (signal.aborted) return
      const id = ++last
      const heard: FromWorker[] = []
      let wake = () => {}
      listeners.set(id, message => {
        if (!tell(message, marks)) heard.push(message)
        wake()
      })
      const stop = () => {
        port.postMessage({ type: 'stop', id })
        wake()
      }
      signal.addEventListener('abort', stop)
      port.postMessage({ ...asked, id, purpose, architecture, session })
      let over = false
      try {
        while (!signal.aborted) {
          const message = heard.shift()
          if (!message) {
            await new Promise<void>(resolve => {
              wake = resolve
            })
          } else if (message.type === 'received') {
            yield here(message.received)
          } else {
            over = true
            if (message.type === 'failed') throw new TransportError(message)
            return
          }
        }
      } finally {
        signal.removeEventListener('abort', stop)
        listeners.delete(id)
        if (!over && !signal.aborted) port.postMessage({ type: 'stop', id })
      }
    }
    return {
      stream: (request, session, signal, marks) => ask({ type: 'run', request }, session, signal, marks),
      resume: (streamId, after, session, signal, marks) =>
        ask({ type: 'resume', streamId, after }, session, signal, marks),
      async cancel(streamId, session) {
        const { signal } = new AbortController()
        for await (const _ of ask({ type: 'cancel', streamId }, session, signal));
      },
    }
  }

  const all = (purpose: Purpose): Partial<Record<Architecture, Transport>> => ({
    ...(settings.functionUrl && { 'function-url': transport(purpose, 'function-url') }),
    ...(settings.websocketUrl && { 'websocket-api': transport(purpose, 'websocket-api') }),
    ...(settings.graphqlUrl && { appsync: transport(purpose, 'appsync') }),
  })
  return {
    comparing: all('comparing'),
    conversing: all('conversing'),
    release: () => port.postMessage({ type: 'release' }),
  }
}

/** False for what is not a mark. They do not wait in the queue: one may come after the end of the answer. */
function tell(message: FromWorker, marks: Marks | undefined): boolean {
  switch (message.type) {
    case 'began':
      marks?.began?.(message.at - performance.timeOrigin)
      return true
    case 'connected':
      marks?.connected?.(message.at - performance.timeOrigin)
      return true
    case 'resumed':
      marks?.resumed?.(message.at - performance.timeOrigin, message.after)
      return true
    case 'received':
    case 'ended':
    case 'failed':
      return false
  }
}

/** On the clock of the page. */
function here({ at, bytes, event }: Received): Received {
  return { at: at - performance.timeOrigin, bytes, event }
}
