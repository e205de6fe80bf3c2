import { beforeEach, expect, test, vi } from 'vitest'
import { LaneStore } from './lane-store'
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
  return () => vi.unstubAllGlobals()
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

test('a stopped lane closes its connection and keeps what it has', async () => {
  const { transport, answers } = fakeTransport()
  const store = new LaneStore()
  const ended = store.run(transport, request(), SESSION)
  answers[0]?.start()
  answers[0]?.text('half')
  await vi.waitFor(() => expect(store.current().text).toBe('half'))
  store.stop()
  expect(answers[0]?.signal.aborted).toBe(true)
  expect(await ended).toMatchObject({ phase: 'stopped', text: 'half' })
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
