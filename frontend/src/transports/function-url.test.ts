import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { functionUrl } from './function-url'
import { serverSentEvents } from './server-sent-events'
import { collect, request, STREAM_ID, session, watchedSignal } from './testing/collect'
import { golden, httpServer, type Loopback } from './testing/servers'
import type { Received } from './transport'

let server: Loopback | undefined
afterEach(() => {
  vi.unstubAllGlobals()
  return server?.close()
})

type Answer = (response: ServerResponse, body: string, incoming: IncomingMessage) => void

async function serve(answer: Answer): Promise<string> {
  server = await httpServer((incoming, body, response) => answer(response, body, incoming))
  return `http://${server.host}/`
}

const stream = (response: ServerResponse) => response.writeHead(200, { 'Content-Type': 'text/event-stream' })
const answer = golden('streams/answer.sse')
const answered = JSON.parse(golden('streams/answer.events.json'))

describe('the request', () => {
  test('is the contract’s, with the token as a bearer', async () => {
    let seen: unknown
    const url = await serve((response, body, { method, headers }) => {
      seen = { method, body: JSON.parse(body), token: headers.authorization, accept: headers.accept }
      expect(headers['content-type']).toBe('application/json')
      stream(response).end(answer)
    })
    await collect(functionUrl(url), { request: { ...request, system: 'Be brief.' } })
    expect(seen).toEqual({
      method: 'POST',
      token: 'Bearer header.payload.signature',
      accept: 'text/event-stream',
      body: { stream_id: STREAM_ID, messages: request.messages, system: 'Be brief.', max_tokens: 20 },
    })
  })
})

describe('the stream', () => {
  test.each(['answer', 'broken'])('%s of the golden files arrives as its events', async name => {
    const url = await serve(response => stream(response).end(golden(`streams/${name}.sse`)))
    const { events, failure } = await collect(functionUrl(url))
    expect(failure).toBeUndefined()
    expect(events).toEqual(JSON.parse(golden(`streams/${name}.events.json`)))
  })

  test('may be cut anywhere, also inside a character, and sizes add up to the bytes on the wire', () => {
    const bytes = new TextEncoder().encode(answer)
    for (const size of [1, 2, 3, 7, 64, bytes.length]) {
      const received: Received[] = []
      const feed = serverSentEvents(STREAM_ID, one => received.push(one))
      for (let from = 0; from < bytes.length; from += size) feed(bytes.subarray(from, from + size), from)
      expect(received.map(({ event }) => event)).toEqual(answered)
      expect(received.reduce((sum, one) => sum + one.bytes, 0)).toBe(bytes.length)
    }
  })

  test('is handed on as it arrives, with the time of the arrival', async () => {
    const parts = answer.split(/(?<=\n\n)/)
    let next = () => {}
    const url = await serve(response => {
      stream(response)
      next = () => {
        const part = parts.shift()
        if (part === undefined) response.end()
        else response.write(part)
      }
      next()
    })
    // The server sends the next event only when the one before has been read: a client that gathers would hang.
    const { received, connectedAt } = await collect(functionUrl(url), { onEvent: () => next() })
    expect(received.map(({ event }) => event)).toEqual(answered)
    const times = received.map(({ at }) => at)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(new Set(times).size).toBe(times.length)
    expect(connectedAt[0]).toBeLessThanOrEqual(times[0] ?? 0)
  })

  test('ends with its terminal event, whatever follows', async () => {
    const url = await serve(response => stream(response).end(answer + answer))
    expect((await collect(functionUrl(url))).events).toEqual(answered)
  })

  test('that ends without a terminal event is an interrupted answer', async () => {
    const url = await serve(response => stream(response).end(answer.split('id: 5')[0]))
    const { events, failure } = await collect(functionUrl(url))
    expect(events).toEqual(answered.slice(0, -1))
    expect(failure).toMatchObject({ phase: 'stream', code: 'network', retryable: true })
  })

  test('that is cut off loses nothing that was received', async () => {
    const url = await serve(response => {
      stream(response).write(answer.split('id: 2')[0])
    })
    const { events, failure } = await collect(functionUrl(url), { onEvent: () => setImmediate(() => server?.close()) })
    expect(events.length).toBeGreaterThan(0)
    expect(failure).toMatchObject({ phase: 'stream', code: 'network' })
  })

  test('that falls silent is given up', async () => {
    const url = await serve(response => {
      stream(response).write(answer.split('id: 1')[0])
    })
    const { events, failure } = await collect(functionUrl(url, { untilStart: 60_000, between: 50 }))
    expect(events).toHaveLength(1)
    expect(failure).toMatchObject({ phase: 'stream', code: 'network' })
    await vi.waitFor(() => expect(server?.connections()).toBe(0))
  })

  test('that is not the contract’s is a failure of the protocol', async () => {
    const url = await serve(response => stream(response).end('data: {"type":"novelty"}\n\n'))
    expect((await collect(functionUrl(url))).failure).toMatchObject({ phase: 'request', code: 'protocol' })
  })
})

describe('a refusal', () => {
  const refused: { name: string; status: number; body: Record<string, unknown> }[] = JSON.parse(
    golden('streams/refused.json'),
  )
  test.each(refused)('of the golden files is an error with its code: $name', async ({ status, body }) => {
    const url = await serve(response =>
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body)),
    )
    const { code, message, retryable } = body
    expect((await collect(functionUrl(url))).failure).toMatchObject({ phase: 'request', code, message, retryable })
  })

  test.each([
    [429, 'rate_limited', true],
    [403, 'unauthorized', false],
    [502, 'internal', true],
  ])('by AWS itself with status %i has no event', async (status, code, retryable) => {
    const url = await serve(response => response.writeHead(status).end('{"Message":null}'))
    expect((await collect(functionUrl(url))).failure).toMatchObject({ phase: 'request', code, retryable })
  })

  test('tells when the request was sent, not when the server had made up its mind', async () => {
    let heardAt = 0
    const url = await serve(response => {
      heardAt = performance.now()
      response.writeHead(429, { 'Content-Type': 'application/json' }).end('{}')
    })
    const { connectedAt } = await collect(functionUrl(url))
    expect(connectedAt).toHaveLength(1)
    expect(connectedAt[0]).toBeLessThanOrEqual(heardAt)
  })

  test('tells nothing of the connection where the browser does not', async () => {
    vi.stubGlobal(
      'PerformanceObserver',
      class extends PerformanceObserver {
        override observe() {}
      },
    )
    const url = await serve(response => response.writeHead(429).end())
    expect((await collect(functionUrl(url))).connectedAt).toEqual([])
  })

  test('is also what is no stream at all', async () => {
    const url = await serve(response => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>'))
    expect((await collect(functionUrl(url))).failure).toMatchObject({ phase: 'request', code: 'protocol' })
  })

  test('of the connection is a failure to connect', async () => {
    const url = await serve(() => {})
    await server?.close()
    const { failure, connectedAt } = await collect(functionUrl(url))
    expect(failure).toMatchObject({ phase: 'connect', code: 'network', retryable: true, perhapsSent: true })
    expect(connectedAt).toEqual([])
  })

  test('may say when to come again', async () => {
    const body = { type: 'error', code: 'rate_limited', message: 'Enough.', retryable: true, retry_after: 40 }
    const url = await serve(response => response.writeHead(429).end(JSON.stringify(body)))
    expect((await collect(functionUrl(url))).failure).toMatchObject({ code: 'rate_limited', retryAfter: 40 })
  })
})

describe('taking an answer up again', () => {
  test.each([
    [7, `/streams/${STREAM_ID}?after=7`],
    ['the beginning', `/streams/${STREAM_ID}`],
  ] as const)('behind %s is a GET of the stream, with the token as a bearer', async (after, path) => {
    let seen: unknown
    const url = await serve((response, _, { method, url, headers }) => {
      seen = { method, path: url, token: headers.authorization, accept: headers.accept }
      stream(response).end(answer)
    })
    const { events, connectedAt } = await collect(functionUrl(url), { after })
    expect(seen).toEqual({ method: 'GET', path, token: 'Bearer header.payload.signature', accept: 'text/event-stream' })
    expect(events).toEqual(answered)
    expect(connectedAt).toHaveLength(1)
  })

  test('that is not found is refused with that code', async () => {
    const body = { type: 'error', stream_id: STREAM_ID, code: 'not_found', message: 'No.', retryable: false }
    const url = await serve(response => response.writeHead(404).end(JSON.stringify(body)))
    const { failure } = await collect(functionUrl(url), { after: 3 })
    expect(failure).toMatchObject({ phase: 'request', code: 'not_found' })
  })

  test('waits no longer for the next event than in the middle of an answer, though none has come yet', async () => {
    const url = await serve(response => void stream(response).flushHeaders())
    const patience = { untilStart: 60_000, between: 50 }
    expect((await collect(functionUrl(url, patience), { after: 3 })).failure).toMatchObject({ code: 'network' })
  })

  test('was not possible where nobody could be reached', async () => {
    const url = await serve(() => {})
    await server?.close()
    const { failure } = await collect(functionUrl(url), { after: 3 })
    expect(failure).toMatchObject({ phase: 'connect', code: 'network', perhapsSent: false })
  })
})

describe('telling the server to stop', () => {
  test('is a DELETE of the stream', async () => {
    let seen: unknown
    const url = await serve((response, body, { method, url, headers }) => {
      seen = { method, path: url, token: headers.authorization, body }
      response.writeHead(204).end()
    })
    await functionUrl(url).cancel(STREAM_ID, session)
    const path = `/streams/${STREAM_ID}`
    expect(seen).toEqual({ method: 'DELETE', path, token: 'Bearer header.payload.signature', body: '' })
  })

  test('is refused where there is no such answer', async () => {
    const body = { type: 'error', code: 'not_found', message: 'No.', retryable: false }
    const url = await serve(response => response.writeHead(404).end(JSON.stringify(body)))
    await expect(functionUrl(url).cancel(STREAM_ID, session)).rejects.toMatchObject({
      phase: 'request',
      code: 'not_found',
    })
  })

  test('fails where nobody can be reached', async () => {
    const url = await serve(() => {})
    await server?.close()
    await expect(functionUrl(url).cancel(STREAM_ID, session)).rejects.toMatchObject({ code: 'network' })
  })
})

describe('stopping', () => {
  test.each(['before the answer', 'in the middle'])('%s ends quietly and closes the connection', async when => {
    const { controller, signal, listeners } = watchedSignal()
    const url = await serve(response => {
      if (when === 'before the answer') controller.abort()
      else stream(response).write(answer.split('id: 2')[0])
    })
    const { failure, events } = await collect(functionUrl(url), { signal, onEvent: () => controller.abort() })
    expect(failure).toBeUndefined()
    expect(events).toHaveLength(when === 'in the middle' ? 1 : 0)
    expect(listeners()).toBe(0)
    await vi.waitFor(() => expect(server?.connections()).toBe(0))
  })

  test('by leaving the iteration closes the connection as well', async () => {
    const { signal, listeners } = watchedSignal()
    const url = await serve(response => {
      stream(response).write(answer.split('id: 2')[0])
    })
    for await (const _ of functionUrl(url).stream(request, { accessToken: 't' }, signal)) break
    await vi.waitFor(() => expect(server?.connections()).toBe(0))
    expect(listeners()).toBe(0)
  })

  test('leaves nothing behind after a whole answer', async () => {
    const { signal, listeners } = watchedSignal()
    const url = await serve(response => stream(response).end(answer))
    await collect(functionUrl(url), { signal })
    expect(listeners()).toBe(0)
  })
})
