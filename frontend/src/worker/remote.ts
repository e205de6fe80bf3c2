import type { Settings } from '../settings'
import { type Architecture, type Received, type Transport, TransportError } from '../transports/transport'
import type { FromWorker, Port, Purpose, Served, ToWorker } from './messages'

/**
 * Transports that run in a worker. A page that draws three answers is busy for milliseconds at a time, and an event that
 * arrives meanwhile would be stamped late: the worker has nothing else to do than to receive.
 */
export function remote(port: Port<ToWorker, FromWorker>, settings: Settings): Served {
  const listeners = new Map<number, (message: FromWorker) => void>()
  let last = 0
  port.addEventListener('message', ({ data }) => listeners.get(data.id)?.(data))
  port.postMessage({ type: 'open', settings })

  const transport = (purpose: Purpose, architecture: Architecture): Transport =>
    async function* (request, session, signal, marks) {
      if (signal.aborted) return
      const id = ++last
      const heard: FromWorker[] = []
      let wake = () => {}
      listeners.set(id, message => {
        if (message.type === 'began') marks?.began?.(message.at - performance.timeOrigin)
        // Also after the end of the answer: function-url knows only then when its request was sent.
        else if (message.type === 'connected') marks?.connected?.(message.at - performance.timeOrigin)
        else heard.push(message)
        wake()
      })
      const stop = () => {
        port.postMessage({ type: 'stop', id })
        wake()
      }
      signal.addEventListener('abort', stop)
      port.postMessage({ type: 'run', id, purpose, architecture, request, session })
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

/** On the clock of the page. */
function here({ at, bytes, event }: Received): Received {
  return { at: at - performance.timeOrigin, bytes, event }
}
