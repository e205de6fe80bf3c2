import './testing/web-socket-global'
import { afterEach, expect, test, vi } from 'vitest'
import { collect, STREAM_ID, session, watchedSignal } from './testing/collect'
import { golden, type SocketServer } from './testing/servers'
import { choose, type OnMessage, websocketServer } from './testing/websocket-server'
import type { Transport } from './transport'
import { websocketApi } from './websocket-api'

const answered: Record<string, unknown>[] = JSON.parse(golden('streams/answer.events.json'))

let server: SocketServer | undefined
afterEach(() => server?.close())

async function serve(onMessage: OnMessage, chosen = choose): Promise<string> {
  const served = await websocketServer(onMessage, chosen)
  server = served.server
  return served.url
}

const cancelled = { ...answered.at(-1), seq: 1, stop_reason: 'cancelled' }
const error = { type: 'error', message: 'No.', retryable: false }

/** Cancels as soon as the answer has begun, and gives what came of both. */
async function cancelling(onCancel: OnMessage) {
  const url = await serve((message, send, peer) => {
    if (message.action === 'stream') send(answered[0])
    else onCancel(message, send, peer)
  })
  const transport = websocketApi(url)
  let outcome: Promise<unknown> = Promise.resolve()
  const collected = await collect(transport, {
    onEvent: ({ type }) => {
      if (type === 'start') outcome = transport.cancel(STREAM_ID, session).catch((failure: unknown) => failure)
    },
  })
  return { ...collected, outcome: await outcome }
}

test('a stop goes over the connection of the answer, whose end is the answer to it', async () => {
  const messages: unknown[] = []
  const { events, outcome } = await cancelling((message, send) => {
    messages.push(message)
    send(cancelled)
  })
  expect(messages).toEqual([{ action: 'cancel', stream_id: STREAM_ID }])
  expect(events.at(-1)).toMatchObject({ type: 'done', stop_reason: 'cancelled' })
  expect(outcome).toBeUndefined()
  expect(server?.offers).toHaveLength(1)
})

test.each([
  ['not_found', { ...error, stream_id: STREAM_ID, code: 'not_found' }],
  ['invalid_request', { ...error, code: 'invalid_request' }],
])('a stop is refused with %s, while the answer goes on', async (code, refusal) => {
  const { events, outcome } = await cancelling((_, send) => {
    send(refusal)
    send({ ...cancelled, stop_reason: 'end_turn' })
  })
  expect(events.map(({ type }) => type)).toEqual(['start', 'done'])
  expect(outcome).toMatchObject({ phase: 'request', code })
})

test('a stop fails with the connection', async () => {
  const { failure, outcome } = await cancelling((_message, _send, peer) => peer.terminate())
  expect(failure).toMatchObject({ phase: 'stream', code: 'network' })
  expect(outcome).toMatchObject({ code: 'network' })
})

test('a stop opens a connection where there is none any more, and closes it', async () => {
  const messages: unknown[] = []
  const url = await serve(message => messages.push(message))
  await websocketApi(url).cancel(STREAM_ID, session)
  expect(messages).toEqual([{ action: 'cancel', stream_id: STREAM_ID }])
  await vi.waitFor(() => expect(server?.connections()).toBe(0))
})

test('a stop opens another connection for another token: that of the answer may have expired', async () => {
  const url = await serve((message, send, peer) => {
    if (message.action === 'stream') send(answered[0])
    else for (const other of server?.peers ?? []) if (other !== peer) other.send(JSON.stringify(cancelled))
  })
  const transport = websocketApi(url)
  let told: Promise<void> | undefined
  const { events } = await collect(transport, {
    onEvent: ({ type }) => {
      if (type === 'start') told = transport.cancel(STREAM_ID, { accessToken: 'newer' })
    },
  })
  await told
  expect(events.at(-1)).toMatchObject({ stop_reason: 'cancelled' })
  expect(server?.offers.map(([, token]) => token)).toEqual(['bearer.header.payload.signature', 'bearer.newer'])
})

test('a stop is refused on such a connection as well', async () => {
  const url = await serve((_, send) => send({ ...error, stream_id: STREAM_ID, code: 'not_found' }))
  await expect(websocketApi(url).cancel(STREAM_ID, session)).rejects.toMatchObject({ code: 'not_found' })
  await vi.waitFor(() => expect(server?.connections()).toBe(0))
})

test('a stop tells what has not been asked for yet: closing is enough then', async () => {
  let outcome: Promise<unknown> = Promise.resolve()
  let transport: Transport | undefined
  const { controller, signal } = watchedSignal()
  const url = await serve(
    () => {},
    offered => {
      outcome = transport?.cancel(STREAM_ID, session).catch((failure: unknown) => failure) ?? outcome
      return choose(offered)
    },
  )
  transport = websocketApi(url)
  const collecting = collect(transport, { signal })
  await vi.waitFor(async () => expect(await outcome).toMatchObject({ phase: 'connect', code: 'not_found' }))
  controller.abort()
  await collecting
})
