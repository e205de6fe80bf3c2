import { beforeEach, describe, expect, test, vi } from 'vitest'
import { TransportError } from '../transports/transport'
import { LaneStore, STOPPING } from './lane-store'
import { fakeTransport } from './testing/fake-transport'

const SESSION = { accessToken: 'token' }
const request = (streamId = '0') => ({ streamId, messages: [{ role: 'user' as const, content: 'hello' }] })

let frames: FrameRequestCallback[] = []
const drawFrame = () => {
  const due = frames
  frames = []
  for (const frame of due) frame(0)
}

beforeEach(() => {
  frames = []
  vi.stubGlobal('requestAnimationFrame', (frame: FrameRequestCallback) => frames.push(frame))
  return () => {
    vi.unstubAllGlobals()
    vi.useRealTimers()
  }
})

test('watchers hear of many events once per frame, the measurement of each at once', async () => {
  const { transport, answers } = fakeTransport()
  const store = new LaneStore()
  const heard = vi.fn()
  store.subscribe(heard)
  const ended = store.run(transport, request(), SESSION)
  answers[0]?.start()
  for (let piece = 0; piece < 50; piece++) answers[0]?.text('x')
  await vi.waitFor(() => expect(store.current().text).toHaveLength(50))
  expect(heard).not.toHaveBeenCalled()
  expect(store.shown().text).toBe('')
  drawFrame()
  expect(heard).toHaveBeenCalledOnce()
  expect(store.shown().text).toHaveLength(50)
  answers[0]?.done()
  expect((await ended).phase).toBe('done')
})

describe('stopping', () => {
  const refusal = (code: 'not_found' | 'network', phase: 'connect' | 'request' = 'request') =>
    new TransportError({ phase, code, message: '', retryable: false })

  /** A lane with half an answer, unless it has not been accepted. */
  async function half(accepted = true) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const fake = fakeTransport()
    const store = new LaneStore()
    const ended = store.run(fake.transport, request(), SESSION)
    const [answer] = fake.answers
    if (accepted) {
      answer?.start()
      answer?.text('half')
      await vi.waitFor(() => expect(store.current().text).toBe('half'))
    }
    return { fake, store, ended, isClosed: () => answer?.signal.aborted }
  }
  const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds)

  test('asks the server, and ends with what it tells', async () => {
    const { fake, store, ended, isClosed } = await half()
    store.stop()
    expect(fake.cancelled).toEqual([{ streamId: '0', session: SESSION }])
    expect(store.current()).toMatchObject({ phase: 'streaming', stopping: true })
    expect(await ended).toMatchObject({ phase: 'stopped', stopReason: 'cancelled', text: 'half' })
    expect(isClosed()).toBe(false)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a second time closes the connection at once', async () => {
    const { fake, store, ended, isClosed } = await half()
    fake.onCancel = () => new Promise(() => {})
    store.stop()
    expect(isClosed()).toBe(false)
    store.stop()
    expect(isClosed()).toBe(true)
    const stopped = await ended
    expect(stopped).toMatchObject({ phase: 'stopped', text: 'half' })
    expect(stopped.stopReason).toBeUndefined()
    expect(fake.cancelled).toHaveLength(1)
  })

  test('what the server does not know closes the connection', async () => {
    const { fake, store, ended, isClosed } = await half()
    fake.onCancel = () => Promise.reject(refusal('not_found'))
    store.stop()
    expect(await ended).toMatchObject({ phase: 'stopped', text: 'half' })
    expect(isClosed()).toBe(true)
    expect(fake.cancelled).toHaveLength(1)
  })

  test('what the server may not know yet is told again, before it was accepted', async () => {
    const { fake, store, ended } = await half(false)
    let known = false
    fake.onCancel = async () => {
      if (!known) throw refusal('not_found')
      fake.answers[0]?.cancelled()
    }
    store.stop()
    await pass(700)
    expect(fake.cancelled).toHaveLength(3)
    known = true
    await pass(300)
    expect(await ended).toMatchObject({ phase: 'stopped', stopReason: 'cancelled' })
  })

  test('what has not been asked for closes the connection, which is enough', async () => {
    const { fake, store, ended, isClosed } = await half(false)
    fake.onCancel = () => Promise.reject(refusal('not_found', 'connect'))
    store.stop()
    await ended
    expect(isClosed()).toBe(true)
    expect(fake.cancelled).toHaveLength(1)
  })

  test.each([
    ['cannot be reached', () => Promise.reject(refusal('network'))],
    ['says nothing', () => new Promise<void>(() => {})],
  ])('a server that %s for 2 s closes the connection', async (_, onCancel) => {
    const { fake, store, ended, isClosed } = await half()
    fake.onCancel = onCancel
    store.stop()
    await pass(STOPPING.told - 1)
    expect(isClosed()).toBe(false)
    await pass(1)
    expect(await ended).toMatchObject({ phase: 'stopped', text: 'half' })
    expect(isClosed()).toBe(true)
    const { length } = fake.cancelled
    await pass(60_000)
    expect(fake.cancelled).toHaveLength(length)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('an answer that does not end though it was told to closes the connection', async () => {
    const { fake, store, ended, isClosed } = await half()
    fake.onCancel = async () => undefined
    store.stop()
    await pass(STOPPING.ended - 1)
    expect(isClosed()).toBe(false)
    await pass(1)
    expect(await ended).toMatchObject({ phase: 'stopped' })
    expect(isClosed()).toBe(true)
  })

  test('what has ended is stopped no more', async () => {
    const { fake, store, ended } = await half()
    fake.answers[0]?.done()
    expect((await ended).phase).toBe('done')
    store.stop()
    expect(fake.cancelled).toEqual([])
  })
})

test.each(['cleared', 'begun anew'])(
  'what is under way when its lane is %s is told to stop, and not waited for',
  async how => {
    const { transport, answers, cancelled } = fakeTransport()
    const store = new LaneStore()
    const ended = store.run(transport, request('1'), SESSION)
    if (how === 'cleared') store.clear()
    else void store.run(transport, request('2'), SESSION)
    expect(cancelled).toEqual([{ streamId: '1', session: SESSION }])
    expect(answers[0]?.signal.aborted).toBe(true)
    await ended
    expect(store.current().phase).toBe(how === 'cleared' ? 'idle' : 'connecting')
  },
)

test('what is found again comes from its beginning, and says so', async () => {
  const { transport, answers, resumptions } = fakeTransport()
  const store = new LaneStore()
  const ended = store.findAgain(transport, 'lost', SESSION)
  answers[0]?.whole('all of it')
  expect(await ended).toMatchObject({ phase: 'done', text: 'all of it', foundAgain: true, streamId: 'lost' })
  expect(resumptions).toEqual([undefined])
})

test('where an answer was taken up again is noted', async () => {
  const { transport, answers } = fakeTransport()
  const store = new LaneStore()
  const ended = store.run(transport, request(), SESSION)
  answers[0]?.start()
  answers[0]?.marks?.dropped?.(5)
  expect(store.current().droppedAt).toBe(5)
  answers[0]?.marks?.resumed?.(6, 0)
  answers[0]?.done()
  expect(await ended).toMatchObject({ phase: 'done', resumptions: [{ at: 6, after: 0 }] })
})

test('a lane that begins anew hears nothing of its former answer', async () => {
  const { transport, answers } = fakeTransport()
  const store = new LaneStore()
  void store.run(transport, request('1'), SESSION)
  answers[0]?.start()
  const ended = store.run(transport, request('2'), SESSION)
  answers[0]?.text('old')
  answers[1]?.whole('new')
  expect(await ended).toMatchObject({ phase: 'done', text: 'new' })
  expect(store.current().text).toBe('new')
})

test('an answer that fails is a lane with a reason, not an exception', async () => {
  const { transport, answers } = fakeTransport()
  const ended = new LaneStore().run(transport, request(), SESSION)
  answers[0]?.fail({ phase: 'connect', code: 'network', message: 'Out of reach.', retryable: true })
  expect(await ended).toMatchObject({ phase: 'failed', failure: { phase: 'connect', code: 'network' } })
})

test('after a gap the lane has failed and its connection is closed, however long the answer goes on', async () => {
  const closed = vi.fn()
  async function* withGap() {
    try {
      yield { at: 1, bytes: 1, event: { type: 'start', stream_id: '0', seq: 0, model: 'm' } as const }
      for (let seq = 2; ; seq++)
        yield { at: seq, bytes: 1, event: { type: 'delta', stream_id: '0', seq, text: 'x' } as const }
    } finally {
      closed()
    }
  }
  const transport = { ...fakeTransport().transport, stream: withGap }
  expect((await new LaneStore().run(transport, request(), SESSION)).phase).toBe('failed')
  expect(closed).toHaveBeenCalledOnce()
})
