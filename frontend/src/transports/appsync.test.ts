import './testing/web-socket-global'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { WebSocket as Peer } from 'ws'
import { decodeEvent } from '../contract/event'
import { eventOf } from './appsync-graphql'
import {
  type Answer,
  appsyncServer,
  type Behaviour,
  cancelled,
  type Json,
  payload,
  refused,
  started,
} from './testing/appsync-server'
import { collect, request, STREAM_ID, session, watchedSignal } from './testing/collect'
import { golden, type SocketServer } from './testing/servers'

const answered: Json[] = JSON.parse(golden('streams/answer.events.json'))
const cases: { name: string; event: Json; graphql: Json | null }[] = JSON.parse(golden('events.json'))

let server: SocketServer | undefined
afterEach(() => server?.close())

async function serve(behaviour: Behaviour) {
  const served = await appsyncServer(behaviour)
  server = served.server
  return served
}

const publishing = (events: Json[]): Behaviour => ({
  mutation: (_, publish) => {
    for (const event of events) publish(event)
    return started
  },
})

describe('one answer', () => {
  test('is asked for only when the subscription stands, and unsubscribed at its end', async () => {
    const { transport, steps } = await serve(publishing(answered))
    const { events, failure, connectedAt, received } = await collect(transport)
    expect(failure).toBeUndefined()
    expect(events).toEqual(answered)
    expect(connectedAt).toHaveLength(1)
    expect(connectedAt[0]).toBeLessThan(received[0]?.at ?? 0)
    await vi.waitFor(() => expect(steps).toEqual(['connection_init', 'start', 'mutation', 'stop']))
    await vi.waitFor(() => expect(server?.connections()).toBe(0))
  })

  // One length of each kind that base64 pads differently.
  test.each(['token', 'token.', 'token._'])(
    'is authorized by a subprotocol and in each step: %s',
    async accessToken => {
      let body: Json = {}
      const { transport, frames, tokens } = await serve({
        mutation: (asked, publish) => {
          body = asked
          for (const event of answered) publish(event)
          return started
        },
      })
      await collect(transport, { request: { ...request, system: 'Be brief.' }, session: { accessToken } })
      const authorization = { Authorization: accessToken, host: server?.host }
      const header = server?.offers[0]?.find(name => name.startsWith('header-'))?.slice('header-'.length) ?? ''
      expect(header).toMatch(/^[A-Za-z0-9_-]+$/)
      expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual(authorization)
      expect(tokens).toEqual([accessToken])
      const start = frames[1]?.payload as { data: string; extensions: Json }
      expect(start.extensions).toEqual({ authorization })
      expect(JSON.parse(start.data)).toMatchObject({ variables: { sessionId: STREAM_ID } })
      const { messages } = request
      expect(body.variables).toEqual({ sessionId: STREAM_ID, messages, system: 'Be brief.', maxTokens: 20 })
    },
  )

  test('that arrives out of order is put in order', async () => {
    const { transport } = await serve(
      publishing([answered[2], answered[0], answered[1], ...answered.slice(4), answered[3]] as Json[]),
    )
    const { events, failure } = await collect(transport)
    expect(failure).toBeUndefined()
    const numbered = (all: Json[]) => all.filter(({ type }) => type !== 'ping')
    expect(numbered(events as never)).toEqual(numbered(answered))
  })
})

describe('the fields of GraphQL', () => {
  test.each(cases.filter(({ graphql }) => graphql))(
    '$name of the golden files is the contract’s event',
    ({ event, graphql }) => {
      expect(eventOf(payload({ ...graphql, sessionId: event.stream_id }))).toEqual(decodeEvent(event))
    },
  )

  test.each([[{ data: { onTokenReceived: null } }], [{ data: null, errors: [{ message: 'm' }] }], [undefined]])(
    '%j is no event',
    value => expect(() => eventOf(value)).toThrow('no event'),
  )
})

describe('a refusal', () => {
  const errors = (error: Json) => [200, { data: null, errors: [error] }] as Answer

  test.each<[string, Answer, Json]>([
    [
      'by our function has the contract’s code',
      errors({ errorType: 'invalid_request', message: '`prompt` is blank', errorInfo: { retryable: false } }),
      { code: 'invalid_request', message: '`prompt` is blank', retryable: false },
    ],
    [
      'that may pass says so',
      errors({ errorType: 'internal', message: 'm', errorInfo: { retryable: true } }),
      { code: 'internal', retryable: true },
    ],
    [
      'by AppSync itself has a type of its own',
      errors({ errorType: 'UnauthorizedException', message: 'No.' }),
      { code: 'unauthorized', message: 'No. (UnauthorizedException)' },
    ],
    [
      'may say when to come again',
      refused('rate_limited', { retryable: true, retryAfter: 40 }),
      { code: 'rate_limited', retryAfter: 40 },
    ],
    ['without a body is one of AppSync', [503, ''], { code: 'internal', retryable: true }],
    ['is an answer for another session', [200, { data: { startStream: { sessionId: 'x' } } }], { code: 'internal' }],
  ])('%s', async (_, answer, expected) => {
    const { transport } = await serve({ mutation: () => answer })
    expect((await collect(transport)).failure).toMatchObject({ phase: 'request', ...expected })
    await vi.waitFor(() => expect(server?.connections()).toBe(0))
  })

  const unauthorized = { errors: [{ errorType: 'UnauthorizedException', message: 'No.', errorCode: 401 }] }

  test('of the connection comes before the mutation', async () => {
    const { transport, steps } = await serve({
      onInit: (_, send) => send({ type: 'connection_error', payload: unauthorized }),
    })
    expect((await collect(transport)).failure).toMatchObject({
      phase: 'connect',
      code: 'unauthorized',
      retryable: false,
    })
    expect(steps).not.toContain('mutation')
    await vi.waitFor(() => expect(server?.connections()).toBe(0))
  })

  test('of the subscription comes before the mutation', async () => {
    const { transport, steps } = await serve({
      onStart: (id, send) => send({ type: 'error', id, payload: unauthorized }),
    })
    const { failure } = await collect(transport)
    expect(failure).toMatchObject({ phase: 'connect', code: 'unauthorized' })
    expect(failure?.message).toContain('UnauthorizedException: No.')
    expect(steps).not.toContain('mutation')
  })
})

describe('a failure', () => {
  test.each([
    ['a closed connection', (peer: Peer) => peer.terminate()],
    ['an ended subscription', (peer: Peer, id: unknown) => peer.send(JSON.stringify({ type: 'complete', id }))],
    ['no JSON', (peer: Peer) => peer.send('no json')],
  ])('is %s in the middle, after all that was received', async (_, breaks) => {
    const context: { frames: Json[] } = { frames: [] }
    const { transport, frames } = await serve({
      mutation: (_body, publish, peer) => {
        publish(answered[0] as Json)
        breaks(peer, context.frames[1]?.id)
        return started
      },
    })
    context.frames = frames
    const { events, failure } = await collect(transport)
    expect(events).toEqual([answered[0]])
    expect(failure).toMatchObject({ phase: 'stream', code: 'network', retryable: true })
  })

  test('does not hold back what waits for a lost event', async () => {
    const { transport } = await serve({
      mutation: (_body, publish, peer) => {
        publish(answered[0] as Json)
        publish(answered[2] as Json)
        peer.close()
        return started
      },
    })
    expect((await collect(transport)).events).toEqual([answered[0], answered[2]])
  })

  test('is a connection without signs of life', async () => {
    const { transport } = await serve({
      onInit: (_, send) => send({ type: 'connection_ack', payload: { connectionTimeoutMs: 50 } }),
    })
    const { failure } = await collect(transport)
    expect(failure).toMatchObject({ phase: 'request', code: 'network' })
    expect(failure?.message).toContain('no sign of life')
  })
})

describe('stopping', () => {
  test.each(['during the handshake', 'during the subscription', 'in the middle'])(
    '%s closes the connection',
    async when => {
      const { controller, signal, listeners } = watchedSignal()
      const { transport, steps } = await serve({
        ...publishing(answered.slice(0, 1)),
        ...(when === 'during the handshake' && { onInit: () => controller.abort() }),
        ...(when === 'during the subscription' && { onStart: () => controller.abort() }),
      })
      const { failure, events } = await collect(transport, { signal, onEvent: () => controller.abort() })
      expect(failure).toBeUndefined()
      expect(events).toHaveLength(when === 'in the middle' ? 1 : 0)
      expect(steps.includes('mutation')).toBe(when === 'in the middle')
      expect(listeners()).toBe(0)
      await vi.waitFor(() => expect(server?.connections()).toBe(0))
    },
  )

  test('by leaving the iteration closes it too', async () => {
    const { signal, listeners } = watchedSignal()
    const { transport } = await serve(publishing(answered.slice(0, 1)))
    for await (const _ of transport.stream(request, session, signal)) break
    await vi.waitFor(() => expect(server?.connections()).toBe(0))
    expect(listeners()).toBe(0)
  })
})

describe('telling the server to stop', () => {
  test('is a mutation with the token', async () => {
    const { transport, steps, tokens } = await serve({ cancel: () => cancelled })
    await transport.cancel(STREAM_ID, session)
    expect([steps, tokens]).toEqual([['cancel'], [session.accessToken]])
  })

  test('is refused where there is no such answer', async () => {
    const { transport } = await serve({ cancel: () => refused('not_found') })
    await expect(transport.cancel(STREAM_ID, session)).rejects.toMatchObject({ phase: 'request', code: 'not_found' })
  })

  test('tells what has not been asked for yet: closing is enough then', async () => {
    let outcome: Promise<unknown> = Promise.resolve()
    const { controller, signal } = watchedSignal()
    const { transport, steps } = await serve({
      onInit: () => {
        outcome = transport.cancel(STREAM_ID, session).catch((failure: unknown) => failure)
      },
    })
    const collecting = collect(transport, { signal })
    await vi.waitFor(async () => expect(await outcome).toMatchObject({ phase: 'connect', code: 'not_found' }))
    controller.abort()
    await collecting
    expect(steps).not.toContain('cancel')
  })
})
