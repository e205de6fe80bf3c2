import './testing/web-socket-global'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { WebSocket as Peer } from 'ws'
import { collect, request, STREAM_ID, session, watchedSignal } from './testing/collect'
import { golden, type SocketServer, socketServer } from './testing/servers'
import type { ChatRequest } from './transport'
import { websocketApi } from './websocket-api'
import { keptWebsocketApi } from './websocket-kept'

const answered: Record<string, unknown>[] = JSON.parse(golden('streams/answer.events.json'))

let server: SocketServer | undefined
afterEach(() => server?.close())

type OnMessage = (message: Record<string, unknown>, send: (value: unknown) => void, peer: Peer) => void

const choose = (offered: string[]): string | undefined => offered.find(name => name === 'llm-stream.v1')

async function serve(onMessage: OnMessage, chosen = choose): Promise<string> {
  server = await socketServer(chosen, peer => {
    const send = (value: unknown) => peer.send(typeof value === 'string' ? value : JSON.stringify(value))
    peer.on('message', data => onMessage(JSON.parse(String(data)), send, peer))
  })
  return `ws://${server.host}/live`
}

/** The answer under another id, as a server gives it. */
const answerTo = (streamId: unknown) => answered.map(event => ({ ...event, stream_id: streamId }))
const another = (streamId: string): ChatRequest => ({ ...request, streamId })

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

describe('a kept connection', () => {
  const answering: OnMessage = ({ stream_id }, send) => {
    for (const event of answerTo(stream_id)) send(event)
  }

  test('serves one answer after another', async () => {
    const kept = keptWebsocketApi(await serve(answering))
    for (const id of ['a', 'b', 'c']) {
      expect((await collect(kept.transport, { request: another(id) })).events).toEqual(answerTo(id))
    }
    expect(server?.offers).toHaveLength(1)
    kept.close()
    await vi.waitFor(() => expect(server?.connections()).toBe(0))
  })

  test('serves several at once, their events mixed', async () => {
    const waiting: unknown[] = []
    const url = await serve(({ stream_id }, send) => {
      waiting.push(stream_id)
      if (waiting.length < 3) return
      for (const [index] of answered.entries()) for (const id of waiting) send(answerTo(id)[index])
    })
    const kept = keptWebsocketApi(url)
    const ids = ['a', 'b', 'c']
    const all = await Promise.all(ids.map(id => collect(kept.transport, { request: another(id) })))
    expect(all.map(({ events }) => events)).toEqual(ids.map(answerTo))
    expect(server?.offers).toHaveLength(1)
    kept.close()
  })

  test('is opened anew when it was closed, and for another token', async () => {
    const url = await serve((message, send, peer) => {
      answering(message, send, peer)
      if (message.stream_id === 'a') peer.close()
    })
    const kept = keptWebsocketApi(url)
    await collect(kept.transport, { request: another('a') })
    await vi.waitFor(() => expect(server?.connections()).toBe(0))
    expect((await collect(kept.transport, { request: another('b') })).failure).toBeUndefined()
    expect(server?.offers).toHaveLength(2)
    const { signal } = new AbortController()
    for await (const _ of kept.transport.stream(another('c'), { accessToken: 'newer' }, signal));
    expect(server?.offers.at(-1)).toEqual(['llm-stream.v1', 'bearer.newer'])
    // The one with the old token is of no use any more.
    await vi.waitFor(() => expect(server?.connections()).toBe(1))
    kept.close()
  })

  test('that has become old is not used again', async () => {
    const kept = keptWebsocketApi(await serve(answering))
    await collect(kept.transport, { request: another('a') })
    const now = performance.now()
    vi.spyOn(performance, 'now').mockReturnValue(now + 111 * 60_000)
    await collect(kept.transport, { request: another('b') })
    expect(server?.offers).toHaveLength(2)
    kept.close()
  })

  test('that could not be opened is tried again', async () => {
    let up = false
    const url = await serve(answering, offered => (up ? choose(offered) : undefined))
    const kept = keptWebsocketApi(url)
    expect((await collect(kept.transport, { request: another('a') })).failure?.phase).toBe('connect')
    up = true
    expect((await collect(kept.transport, { request: another('b') })).failure).toBeUndefined()
    kept.close()
  })

  test('is closed by a stop when nobody else uses it: that alone stops the model', async () => {
    const kept = keptWebsocketApi(await serve(({ stream_id }, send) => send(answerTo(stream_id)[0])))
    const [one, two] = [watchedSignal(), watchedSignal()]
    const first = collect(kept.transport, { request: another('a'), signal: one.signal })
    let begun = () => {}
    const running = new Promise<void>(resolve => {
      begun = resolve
    })
    const second = collect(kept.transport, { request: another('b'), signal: two.signal, onEvent: begun })
    await running
    one.controller.abort()
    expect((await first).failure).toBeUndefined()
    expect(server?.connections()).toBe(1)
    two.controller.abort()
    expect((await second).failure).toBeUndefined()
    await vi.waitFor(() => expect(server?.connections()).toBe(0))
    expect([one.listeners(), two.listeners()]).toEqual([0, 0])
  })

  test('that is closed lets the answers under way end', async () => {
    let go = () => {}
    const url = await serve(({ stream_id }, send) => {
      const [first, ...others] = answerTo(stream_id)
      send(first)
      go = () => {
        for (const event of others) send(event)
      }
    })
    const kept = keptWebsocketApi(url)
    let closed = false
    const onEvent = () => {
      if (closed) return
      closed = true
      kept.close()
      go()
    }
    const { failure, events } = await collect(kept.transport, { onEvent })
    expect([failure, events]).toEqual([undefined, answered])
    await vi.waitFor(() => expect(server?.connections()).toBe(0))
  })
})
