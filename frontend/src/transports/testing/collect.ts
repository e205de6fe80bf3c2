import type { StreamEvent } from '../../contract/event'
import type { ChatRequest, Marks, Received, Session, Transport } from '../transport'
import { TransportError } from '../transport'

export const STREAM_ID = '3f2b8c9e-7a41-4f0e-9d55-0c6a1b2d3e4f'
export const request: ChatRequest = {
  streamId: STREAM_ID,
  messages: [{ role: 'user', content: 'Why is the sky blue?' }],
  maxTokens: 20,
}
export const session: Session = { accessToken: 'header.payload.signature' }

export interface Collected {
  received: Received[]
  events: StreamEvent[]
  failure: TransportError | undefined
  connectedAt: number[]
  /** Behind which events it was taken up again. */
  resumedAfter: (number | undefined)[]
}

/** One answer to its end. Anything thrown but a `TransportError` is a failure of the test. */
export async function collect(
  transport: Transport,
  options: {
    signal?: AbortSignal
    request?: ChatRequest
    session?: Session
    onEvent?: (event: StreamEvent) => void
    /** Takes the request's stream up again, behind this event, instead of asking for it. */
    after?: number | 'the beginning'
  } = {},
): Promise<Collected> {
  const collected: Collected = { received: [], events: [], failure: undefined, connectedAt: [], resumedAfter: [] }
  const { signal = new AbortController().signal, after } = options
  const { request: asked = request, session: by = session } = options
  const marks: Marks = {
    connected: at => collected.connectedAt.push(at),
    resumed: (_, after) => collected.resumedAfter.push(after),
  }
  const events =
    after === undefined
      ? transport.stream(asked, by, signal, marks)
      : transport.resume(asked.streamId, after === 'the beginning' ? undefined : after, by, signal, marks)
  try {
    for await (const received of events) {
      collected.received.push(received)
      collected.events.push(received.event)
      options.onEvent?.(received.event)
    }
  } catch (error) {
    if (!(error instanceof TransportError)) throw error
    collected.failure = error
  }
  return collected
}

/** A signal that knows how many listen to it. */
export function watchedSignal() {
  const controller = new AbortController()
  const { signal } = controller
  let listeners = 0
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  const kinds = new Set<unknown>()
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++
    kinds.add(args[1])
    add(...args)
  }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    if (kinds.delete(args[1])) listeners--
    remove(...args)
  }
  return { controller, signal, listeners: () => listeners }
}
