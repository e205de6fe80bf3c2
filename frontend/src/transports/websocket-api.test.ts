import './testing/web-socket-global'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { collect, request, STREAM_ID, session, watchedSignal } from './testing/collect'
import { golden, type SocketServer } from './testing/servers'
import { choose, type OnMessage, websocketServer } from './testing/websocket-server'
import { websocketApi } from './websocket-api'

const answered: Record<string, unknown>[] = JSON.parse(golden('streams/answer.events.json'))

let server: SocketServer | undefined
afterEach(() => server?.close())

async function serve(onMessage: OnMessage, chosen = choose): Promise<string> {
  const served = await websocketServer(onMessage, chosen)
  server = served.server
  return served.url
}

describe('one answer', () => {
  test('is asked for with the token as a subprotocol, and arrives a message an event', async () => {
    const messages: unknown[] = []
    const url = await serve((message, send) => {
      messages.push(message)
      for (const event of answered) send(event)
    })
    const { events, received, connectedAt, failure } = await collect(websocketApi(url))
    expect(failure).toBeUndefined()
    expect(events).toEqual(answered)
    expect(received.map(({ bytes }) => bytes)).toEqual(answered.map(event => Buffer.byteLength(JSON.stringify(event))))
    expect(server?.offers).toEqual([['llm-stream.v1', 'bearer.header.payload.signature']])
    const asked = { action: 'stream', stream_id: STREAM_ID, messages: request.messages, max_tokens: 20 }
    expect(messages).toEqual([asked])
    expect(connectedAt).toHaveLength(1)
    await vi.waitFor(() => expect(server?.connections()).toBe(0))
  })

  test('has no part in what is not its own', async () => {
    const url = await serve((_, send) => {
      send({ message: 'Endpoint request timed out', connectionId: 'c', requestId: 'r' })
      send({ type: 7 })
      send([])
      for (const event of answered) {
        send({ ...event, stream_id: 'another' })
        send(event)
      }
    })
    expect((await collect(websocketApi(url))).events).toEqual(answered)
  })

  test('is refused by an error that names no stream', async () => {
    const error = { type: 'error', code: 'unauthorized', message: 'Sign in again.', retryable: false }
    const url = await serve((_, send) => send(error))
    expect((await collect(websocketApi(url))).events).toEqual([error])
  })

  test('that is too large is refused before anything is sent', async () => {
    const url = await serve(() => {})
    // Two bytes a character: it is bytes that count.
    const content = 'ü'.repeat(17 * 1024)
    const { failure } = await collect(websocketApi(url), {
      request: { ...request, messages: [{ role: 'user', content }] },
    })
    expect(failure).toMatchObject({ phase: 'request', code: 'payload_too_large', retryable: false })
    expect(failure?.message).toContain('35 KB')
    expect(server?.offers).toEqual([])
  })

  test('of just 32 KB is sent', async () => {
    const url = await serve((_, send) => send({ ...answered.at(-1), seq: 0 }))
    const empty = JSON.stringify({ action: 'stream', stream_id: STREAM_ID, messages: [{ role: 'user', content: '' }] })
    const of = (size: number) => ({
      streamId: STREAM_ID,
      messages: [{ role: 'user' as const, content: 'x'.repeat(size - empty.length) }],
    })
    expect((await collect(websocketApi(url), { request: of(32 * 1024) })).failure).toBeUndefined()
    expect((await collect(websocketApi(url), { request: of(32 * 1024 + 1) })).failure?.code).toBe('payload_too_large')
  })
})

describe('a failure', () => {
  test('of the upgrade may be the sign-in: a browser is not told', async () => {
    const url = await serve(
      () => {},
      () => undefined,
    )
    const { failure } = await collect(websocketApi(url))
    expect(failure).toMatchObject({ phase: 'connect', code: 'network', retryable: true, unexplained: true })
    expect(failure?.message).toContain('The sign-in may have expired')
  })

  test('is a server that speaks another protocol', async () => {
    const url = await serve(
      () => {},
      offered => offered.find(name => name.startsWith('bearer.')),
    )
    expect((await collect(websocketApi(url))).failure).toMatchObject({ phase: 'connect', code: 'protocol' })
    await vi.waitFor(() => expect(server?.connections()).toBe(0))
  })

  test('is a connection that ends in the middle, after all that was received', async () => {
    const url = await serve((_, send, peer) => {
      for (const event of answered.slice(0, 3)) send(event)
      peer.terminate()
    })
    const { events, failure } = await collect(websocketApi(url))
    expect(events).toEqual(answered.slice(0, 3))
    expect(failure).toMatchObject({ phase: 'stream', code: 'network', retryable: true })
  })

  test.each([
    ['what is not JSON', 'no json'],
    ['what is not the contract’s', '{"type":"novelty","stream_id":"3f2b8c9e-7a41-4f0e-9d55-0c6a1b2d3e4f"}'],
  ])('is %s', async (_, text) => {
    const url = await serve((_message, send) => send(text))
    expect((await collect(websocketApi(url))).failure).toMatchObject({ phase: 'request', code: 'protocol' })
  })

  test('is silence', async () => {
    const url = await serve(() => {})
    const { failure } = await collect(websocketApi(url, { untilStart: 40, between: 60_000 }))
    expect(failure).toMatchObject({ phase: 'request', code: 'network' })
    await vi.waitFor(() => expect(server?.connections()).toBe(0))
  })

  test('is not a silence that pings break', async () => {
    const url = await serve((_, send) => {
      send(answered[0])
      let pings = 0
      const timer = setInterval(() => {
        if (pings++ < 6) return send({ type: 'ping', stream_id: STREAM_ID })
        clearInterval(timer)
        send({ ...answered.at(-1), seq: 1 })
      }, 40)
    })
    const { failure, events } = await collect(websocketApi(url, { untilStart: 60_000, between: 150 }))
    expect(failure).toBeUndefined()
    expect(events).toHaveLength(8)
  })
})

describe('stopping', () => {
  test.each(['before the upgrade', 'before the first event', 'in the middle'])(
    '%s closes the connection',
    async when => {
      const { controller, signal, listeners } = watchedSignal()
      const url = await serve(
        (_, send) => {
          if (when === 'in the middle') send(answered[0])
          else controller.abort()
        },
        offered => {
          if (when === 'before the upgrade') controller.abort()
          return choose(offered)
        },
      )
      const { failure, events } = await collect(websocketApi(url), { signal, onEvent: () => controller.abort() })
      expect(failure).toBeUndefined()
      expect(events).toHaveLength(when === 'in the middle' ? 1 : 0)
      await vi.waitFor(() => expect(listeners()).toBe(0))
      await vi.waitFor(() => expect(server?.connections()).toBe(0))
    },
  )

  test('by leaving the iteration closes it too', async () => {
    const url = await serve((_, send) => send(answered[0]))
    const { signal, listeners } = watchedSignal()
    for await (const _ of websocketApi(url).stream(request, session, signal)) break
    await vi.waitFor(() => expect(server?.connections()).toBe(0))
    expect(listeners()).toBe(0)
  })
})

describe('taking an answer up again', () => {
  test.each([
    [4, { after: 4 }],
    ['the beginning', {}],
  ] as const)('behind %s is asked for on a connection of its own', async (after, expected) => {
    const messages: unknown[] = []
    const url = await serve((message, send) => {
      messages.push(message)
      for (const event of answered) send(event)
    })
    const { events, connectedAt, failure } = await collect(websocketApi(url), { after })
    expect([failure, events]).toEqual([undefined, answered])
    expect(messages).toEqual([{ action: 'resume', stream_id: STREAM_ID, ...expected }])
    expect(connectedAt).toHaveLength(1)
    await vi.waitFor(() => expect(server?.connections()).toBe(0))
  })

  const error = { type: 'error', stream_id: STREAM_ID, message: 'No.', retryable: false }

  test('is refused by an event, which is none of the answer', async () => {
    const url = await serve((_, send) => send({ ...error, code: 'not_found' }))
    const { events, failure } = await collect(websocketApi(url), { after: 4 })
    expect(events).toEqual([])
    expect(failure).toMatchObject({ phase: 'request', code: 'not_found' })
  })

  test('may find that whoever made the answer is gone, which is its end', async () => {
    const interrupted = { ...error, code: 'interrupted' }
    const url = await serve((_, send) => send(interrupted))
    expect((await collect(websocketApi(url), { after: 4 })).events).toEqual([interrupted])
  })

  test('may find its last event, an error with a number', async () => {
    const last = { ...error, seq: 5, code: 'internal' }
    const url = await serve((_, send) => send(last))
    expect((await collect(websocketApi(url), { after: 4 })).events).toEqual([last])
  })
})
