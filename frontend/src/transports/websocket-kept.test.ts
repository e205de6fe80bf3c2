import './testing/web-socket-global'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { resuming } from './resuming'
import { type Collected, collect, request, session, watchedSignal } from './testing/collect'
import { golden, type SocketServer } from './testing/servers'
import { choose, type OnMessage, websocketServer } from './testing/websocket-server'
import type { ChatRequest } from './transport'
import { CONVERSATION_MS, keptWebsocketApi, PING_MS } from './websocket-kept'

const answered: Record<string, unknown>[] = JSON.parse(golden('streams/answer.events.json'))

let server: SocketServer | undefined
afterEach(() => {
  vi.useRealTimers()
  return server?.close()
})

async function serve(onMessage: OnMessage, chosen = choose): Promise<string> {
  const served = await websocketServer(onMessage, chosen)
  server = served.server
  return served.url
}

/** The answer under another id, as a server gives it. */
const answerTo = (streamId: unknown) => answered.map(event => ({ ...event, stream_id: streamId }))
const another = (streamId: string): ChatRequest => ({ ...request, streamId })

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

  test('whose answer was stopped by the server is used again', async () => {
    const url = await serve(({ action, stream_id }, send) => {
      const [first, ...others] = answerTo(stream_id)
      if (action === 'stream') send(first)
      else send({ ...others.at(-1), seq: 1, stop_reason: 'cancelled' })
    })
    const kept = keptWebsocketApi(url)
    for (const id of ['a', 'b']) {
      const { events } = await collect(kept.transport, {
        request: another(id),
        onEvent: ({ type }) => void (type === 'start' && kept.transport.cancel(id, session)),
      })
      expect(events.at(-1)).toMatchObject({ stop_reason: 'cancelled' })
    }
    expect(server?.offers).toHaveLength(1)
    kept.close()
  })

  test('is kept open by pings while the conversation lasts, and no longer', async () => {
    let pings = 0
    const url = await serve((message, send, peer) => {
      if (message.action === 'ping') {
        pings++
        send({ type: 'ping' })
      } else answering(message, send, peer)
    })
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    const kept = keptWebsocketApi(url)
    await collect(kept.transport, { request: another('a') })
    vi.advanceTimersByTime(PING_MS - 1)
    expect(pings).toBe(0)
    for (let expected = 1; expected <= Math.floor(CONVERSATION_MS / PING_MS); expected++) {
      vi.advanceTimersByTime(expected === 1 ? 1 : PING_MS)
      await vi.waitFor(() => expect(pings).toBe(expected))
    }
    vi.advanceTimersByTime(2 * CONVERSATION_MS)
    expect(vi.getTimerCount()).toBe(0)
    expect((await collect(kept.transport, { request: another('b') })).failure).toBeUndefined()
    vi.advanceTimersByTime(PING_MS)
    expect(vi.getTimerCount()).toBe(1)
    kept.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('goes on with an answer that was taken up again on it, though the former hearer leaves', async () => {
    let go = () => {}
    const url = await serve(({ action, stream_id }, send) => {
      const [first, ...others] = answerTo(stream_id)
      if (action === 'stream') send(first)
      else {
        send(others[0])
        go = () => {
          for (const event of others.slice(1)) send(event)
        }
      }
    })
    const kept = keptWebsocketApi(url)
    const former = watchedSignal()
    let again: Promise<Collected> | undefined
    const hearing = collect(kept.transport, {
      request: another('a'),
      signal: former.signal,
      onEvent: () => {
        const onEvent = ({ type }: { type: string }) => void (type === 'delta' && former.controller.abort())
        again = collect(kept.transport, { request: another('a'), after: 0, onEvent })
      },
    })
    await hearing
    go()
    expect((await again)?.events).toEqual(answerTo('a').slice(1))
    kept.close()
  })

  test('that API Gateway ends in the middle of an answer gives it over to a new one', async () => {
    const asked: unknown[] = []
    const url = await serve((message, send, peer) => {
      asked.push(message)
      const events = answerTo(message.stream_id)
      if (message.action === 'resume') {
        for (const event of events.slice(3)) send(event)
        return
      }
      for (const event of events.slice(0, 3)) send(event)
      peer.close(1001, 'Going away')
    })
    const kept = keptWebsocketApi(url)
    const lasting = resuming(kept.transport, async () => ({ accessToken: 'renewed' }))
    const { events, failure, resumedAfter } = await collect(lasting, { request: another('a') })
    expect([failure, events]).toEqual([undefined, answerTo('a')])
    expect(asked[1]).toEqual({ action: 'resume', stream_id: 'a', after: resumedAfter[0] })
    expect(server?.offers.map(([, token]) => token)).toEqual(['bearer.header.payload.signature', 'bearer.renewed'])
    kept.close()
  })
})
