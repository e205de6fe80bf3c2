import { afterEach, expect, test, vi } from 'vitest'
import { idle, lane } from '../lane/reducer'
import { type ChatRequest, type Received, TransportError } from '../transports/transport'
import { fakeTransport } from '../ui/testing/fake-transport'
import type { FromWorker, Port, ToWorker } from './messages'
import { remote } from './remote'
import { serve } from './serve'

const SETTINGS = {
  region: 'r',
  userPoolId: 'p',
  userPoolClientId: 'c',
  authFlow: 'USER_SRP_AUTH',
  functionUrl: 'http://127.0.0.1',
} as const
const REQUEST: ChatRequest = { streamId: 'id', messages: [{ role: 'user', content: 'hello' }] }

let close = () => {}
afterEach(() => close())

/** Both sides, over a real channel: what crosses it is copied, as between a page and its worker. */
function connect() {
  const { port1, port2 } = new MessageChannel()
  const fake = fakeTransport()
  const { transport, answers } = fake
  const release = vi.fn()
  const heard = vi.fn()
  port2.addEventListener('message', ({ data }) => heard(data))
  serve(port2 as Port<FromWorker, ToWorker>, () => ({
    comparing: { 'function-url': transport },
    conversing: {},
    release,
  }))
  const served = remote(port1 as Port<ToWorker, FromWorker>, SETTINGS)
  port1.start()
  port2.start()
  close = () => port1.close()
  const run = (signal = new AbortController().signal, marks = {}) =>
    served.comparing['function-url']?.stream(
      REQUEST,
      { accessToken: 'token' },
      signal,
      marks,
    ) as AsyncIterable<Received>
  return { served, run, answers, fake, release, heard }
}

function never(): AsyncIterable<Received> {
  throw new Error('There is no such transport.')
}

async function all(items: AsyncIterable<Received>) {
  const received: Received[] = []
  for await (const item of items) received.push(item)
  return received
}

test('an answer crosses the channel whole, with its times on this clock', async () => {
  const { run, answers } = connect()
  const before = performance.now()
  const connected = vi.fn()
  const began = vi.fn()
  const received = all(run(undefined, { began, connected }))
  await vi.waitFor(() => expect(answers).toHaveLength(1))
  answers[0]?.whole('text')
  const begin = lane(idle, { type: 'begin', at: before, streamId: 'id' })
  const end = (await received).reduce((state, item) => lane(state, { type: 'received', received: item }), begin)
  expect(end).toMatchObject({ phase: 'done', text: 'text', gaps: 0 })
  for (const { at } of await received) {
    expect(at).toBeGreaterThanOrEqual(before)
    expect(at).toBeLessThanOrEqual(performance.now())
  }
  expect(began.mock.calls[0]?.[0]).toBeGreaterThanOrEqual(before)
  expect(connected.mock.calls[0]?.[0]).toBeGreaterThanOrEqual(began.mock.calls[0]?.[0])
  expect(connected.mock.calls[0]?.[0]).toBeLessThanOrEqual(performance.now())
})

test('a failure keeps its phase, its code and its words', async () => {
  const { run, answers } = connect()
  const received = all(run())
  await vi.waitFor(() => expect(answers).toHaveLength(1))
  const failure = {
    phase: 'connect',
    code: 'network',
    message: 'Out of reach.',
    retryable: true,
    unexplained: true,
    retryAfter: 40,
    perhapsSent: true,
  } as const
  answers[0]?.fail(failure)
  const error = await received.catch((error: unknown) => error)
  expect(error).toBeInstanceOf(TransportError)
  expect(error).toMatchObject(failure)
})

test('an answer is taken up again behind the channel, and says where it was elsewhere', async () => {
  const { served, answers, fake } = connect()
  const resumed = vi.fn()
  const { signal } = new AbortController()
  const received = all(
    served.comparing['function-url']?.resume('id', 4, { accessToken: 'token' }, signal, { resumed }) ?? never(),
  )
  await vi.waitFor(() => expect(answers).toHaveLength(1))
  expect(fake.resumptions).toEqual([4])
  const at = performance.now()
  answers[0]?.marks?.resumed?.(at, 7)
  answers[0]?.text('five')
  answers[0]?.done()
  expect((await received).map(({ event }) => ('seq' in event ? event.seq : undefined))).toEqual([5, 6])
  expect(resumed).toHaveBeenCalledExactlyOnceWith(expect.closeTo(at, 3), 7)
})

test('a wish to stop crosses the channel, and so does what becomes of it', async () => {
  const { served, fake } = connect()
  const session = { accessToken: 'token' }
  await served.comparing['function-url']?.cancel('id', session)
  expect(fake.cancelled).toEqual([{ streamId: 'id', session }])
  const refusal = { phase: 'request', code: 'not_found', message: 'No.', retryable: false } as const
  fake.onCancel = () => Promise.reject(new TransportError(refusal))
  await expect(served.comparing['function-url']?.cancel('id', session)).rejects.toMatchObject(refusal)
})

test('stopping here closes the connection there, and ends quietly', async () => {
  const { run, answers } = connect()
  const abort = new AbortController()
  const received = all(run(abort.signal))
  await vi.waitFor(() => expect(answers).toHaveLength(1))
  answers[0]?.start()
  abort.abort()
  await received
  await vi.waitFor(() => expect(answers[0]?.signal.aborted).toBe(true))
})

test('whoever leaves an answer early closes its connection', async () => {
  const { run, answers } = connect()
  const left = (async () => {
    for await (const _ of run()) break
  })()
  await vi.waitFor(() => expect(answers).toHaveLength(1))
  answers[0]?.start()
  await left
  await vi.waitFor(() => expect(answers[0]?.signal.aborted).toBe(true))
})

test('what is kept open is closed on request', async () => {
  const { served, release } = connect()
  served.release()
  await vi.waitFor(() => expect(release).toHaveBeenCalledOnce())
})
