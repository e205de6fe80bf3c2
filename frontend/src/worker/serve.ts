import type { Settings } from '../settings'
import { TransportError } from '../transports/transport'
import type { FromWorker, Port, Served, ToWorker } from './messages'

/** The worker's side: runs the answers that it is asked for, and tells everything at once. */
export function serve(port: Port<FromWorker, ToWorker>, open: (settings: Settings) => Served) {
  const running = new Map<number, AbortController>()
  let served: Served | undefined

  async function run({ id, purpose, architecture, request, session }: Extract<ToWorker, { type: 'run' }>) {
    const abort = new AbortController()
    running.set(id, abort)
    const connected = (at: number) => port.postMessage({ type: 'connected', id, at: at + performance.timeOrigin })
    try {
      port.postMessage({ type: 'began', id, at: performance.now() + performance.timeOrigin })
      const transport = served?.[purpose][architecture]
      if (!transport) throw new Error(`There is no address for ${architecture}.`)
      for await (const { at, bytes, event } of transport(request, session, abort.signal, { connected })) {
        port.postMessage({ type: 'received', id, received: { at: at + performance.timeOrigin, bytes, event } })
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

function failure(error: unknown) {
  if (error instanceof TransportError) {
    const { phase, code, message, retryable, unexplained } = error
    return { phase, code, message, retryable, unexplained }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { phase: 'stream' as const, code: 'protocol' as const, message, retryable: true }
}
