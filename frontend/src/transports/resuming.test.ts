import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { StreamEvent } from '../contract/event'
import { BACKOFF, ENOUGH_MS, resuming } from './resuming'
import { type Collected, collect, request, STREAM_ID } from './testing/collect'
import { type Marks, type Received, type Session, type Transport, TransportError } from './transport'

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(Math, 'random').mockReturnValue(1)
})
afterEach(() => void vi.useRealTimers())

const start: StreamEvent = { type: 'start', stream_id: STREAM_ID, seq: 0, model: 'm' }
const delta = (seq: number): StreamEvent => ({ type: 'delta', stream_id: STREAM_ID, seq, text: `${seq} ` })
const done = (seq: number): StreamEvent => {
  const timing = { total_ms: 9 }
  return { type: 'done', stream_id: STREAM_ID, seq, stop_reason: 'end_turn', timing }
}
const all = [start, delta(1), delta(2), done(3)]
const ping: StreamEvent = { type: 'ping', stream_id: STREAM_ID }

type Failure = ConstructorParameters<typeof TransportError>[0]
const broken: Failure = { phase: 'stream', code: 'network', message: 'Broken.', retryable: true }
const unreachable: Failure = { ...broken, phase: 'connect', message: 'Unreachable.' }
const refused = (code: 'not_found' | 'unauthorized' | 'internal' | 'invalid_request', retryable = false): Failure => ({
  phase: 'request',
  code,
  message: `${code}.`,
  retryable,
})

/** What a connection brings: events, and then perhaps its failure. */
type Script = (StreamEvent | Failure | 'connected' | 'silence')[]

/** A transport whose first connection follows the first script, and so on. */
function scripted(...scripts: Script[]) {
  const resumptions: { after: number | undefined; at: number; session: Session }[] = []
  const cancel = vi.fn<Transport['cancel']>(async () => undefined)
  async function* play(signal: AbortSignal, marks: Marks | undefined): AsyncGenerator<Received, void> {
    for (const step of scripts.shift() ?? [refused('not_found')]) {
      if (step === 'silence') await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
      if (signal.aborted) return
      if (step === 'connected') marks?.connected?.(performance.now())
      else if (typeof step === 'object' && 'phase' in step) throw new TransportError(step)
      else if (step !== 'silence') yield { at: performance.now(), bytes: 1, event: step }
    }
  }
  const transport: Transport = {
    stream: (_, __, signal, marks) => play(signal, marks),
    resume(_, after, session, signal, marks) {
      resumptions.push({ after, at: performance.now(), session })
      return play(signal, marks)
    },
    cancel,
  }
  let token = 0
  const renew = vi.fn(async (): Promise<Session> => ({ accessToken: `renewed ${++token}` }))
  return { lasting: resuming(transport, renew), transport, resumptions, renew, cancel }
}

/** To its end, while time flies. */
async function read(transport: Transport, options: Parameters<typeof collect>[1] = {}): Promise<Collected> {
  const collecting = collect(transport, options)
  await vi.advanceTimersByTimeAsync(60_000)
  return collecting
}

describe('an answer', () => {
  test('that is not disturbed is none of our business', async () => {
    const { lasting, resumptions, renew } = scripted(all)
    expect(await read(lasting)).toMatchObject({ events: all, failure: undefined, resumedAfter: [] })
    expect(resumptions).toEqual([])
    expect(renew).not.toHaveBeenCalled()
  })

  test('that breaks off goes on behind its last event, with a new token, and says so', async () => {
    const { lasting, resumptions } = scripted([start, delta(1), broken], [delta(2), done(3)])
    const began = performance.now()
    const { events, failure, resumedAfter } = await read(lasting)
    expect([failure, events]).toEqual([undefined, all])
    expect(resumptions).toEqual([{ after: 1, at: began + 250, session: { accessToken: 'renewed 1' } }])
    expect(resumedAfter).toEqual([1])
  })

  test('that breaks off before its first event is asked for from the beginning', async () => {
    const { lasting, resumptions } = scripted([{ ...broken, phase: 'request' }], all)
    expect(await read(lasting)).toMatchObject({ events: all, resumedAfter: [undefined] })
    expect(resumptions[0]?.after).toBeUndefined()
  })

  test('with a gap goes on before it: what came behind it comes again', async () => {
    const { lasting, resumptions } = scripted([start, delta(2)], [delta(1), delta(2), done(3)])
    expect(await read(lasting)).toMatchObject({ events: all, failure: undefined, resumedAfter: [0] })
    expect(resumptions[0]?.after).toBe(0)
  })

  test('may break off as often as it gets any further', async () => {
    const long = Array.from({ length: 20 }, (_, index) => delta(index + 1))
    const { lasting } = scripted([start, broken], ...long.map(event => [event, broken]), [done(21)])
    const { events, failure, resumedAfter } = await read(lasting)
    expect([failure, events]).toEqual([undefined, [start, ...long, done(21)]])
    expect(resumedAfter).toHaveLength(21)
  })

  test('may turn out to be interrupted for good', async () => {
    const interrupted: StreamEvent = { type: 'error', code: 'interrupted', message: 'Gone.', retryable: true }
    const { lasting } = scripted([start, broken], [{ ...interrupted, stream_id: STREAM_ID }])
    expect((await read(lasting)).events).toMatchObject([start, { code: 'interrupted' }])
  })

  test('is not confused by the numbers of another one', async () => {
    const { lasting, resumptions } = scripted([start, { ...delta(7), stream_id: 'another' } as StreamEvent, done(1)])
    expect((await read(lasting)).failure).toBeUndefined()
    expect(resumptions).toEqual([])
  })

  test('is told to be on its way again in between', async () => {
    const { lasting } = scripted([start, broken], [{ ...unreachable }], [done(1)])
    const said: string[] = []
    const marks = { dropped: () => said.push('dropped'), resumed: () => said.push('resumed') }
    const reading = (async () => {
      for await (const { event } of lasting.stream(request, { accessToken: '' }, new AbortController().signal, marks)) {
        said.push(event.type)
      }
    })()
    await vi.advanceTimersByTimeAsync(60_000)
    await reading
    expect(said).toEqual(['start', 'dropped', 'resumed', 'done'])
  })
})

describe('what cannot be taken up ends as it would have without', () => {
  test.each<[string, Failure]>([
    ['a connection that was never made', unreachable],
    ['a refusal', refused('internal', true)],
    ['a server that breaks the contract', { ...broken, code: 'protocol' }],
    ['a refused sign-in', { ...broken, code: 'unauthorized' }],
  ])('%s, which is not even tried', async (_, failure) => {
    const { lasting, resumptions } = scripted([failure])
    expect((await read(lasting)).failure).toMatchObject(failure)
    expect(resumptions).toEqual([])
  })

  test.each([refused('not_found'), refused('invalid_request')])('with $code at the first try', async refusal => {
    const { lasting, resumptions } = scripted([start, broken], [refusal], all)
    expect(await read(lasting)).toMatchObject({ events: [start], failure: broken })
    expect(resumptions).toHaveLength(1)
  })

  test('with the gap that was to be filled', async () => {
    const { lasting } = scripted([start, delta(2), done(3)])
    expect(await read(lasting)).toMatchObject({ events: [start, delta(2)], failure: undefined })
  })

  test('with a log that has the same gap', async () => {
    const { lasting, resumptions } = scripted([start, delta(2)], ...BACKOFF.map(() => [delta(2)]))
    expect(await read(lasting)).toMatchObject({ events: [start, delta(2)], failure: undefined })
    expect(resumptions).toHaveLength(BACKOFF.length)
  })

  test('after five tries, further and further apart', async () => {
    const { lasting, resumptions } = scripted([start, broken], ...BACKOFF.map(() => [unreachable]), all)
    const began = performance.now()
    expect(await read(lasting)).toMatchObject({ events: [start], failure: broken })
    expect(resumptions.map(({ at }) => at - began)).toEqual([250, 1_250, 3_250, 7_250, 15_250])
  })

  test('after pings alone', async () => {
    const { lasting, resumptions } = scripted([start, broken], ...BACKOFF.map(() => [ping, broken]), all)
    expect((await read(lasting)).failure).toMatchObject(broken)
    expect(resumptions).toHaveLength(BACKOFF.length)
  })

  test('after a quarter of a minute, when each try takes its time to connect', async () => {
    const silent: Script[] = BACKOFF.map(() => ['silence'])
    const { lasting, resumptions } = scripted([start, broken], ...silent, all)
    const began = performance.now()
    expect((await read(lasting)).failure).toMatchObject(broken)
    expect(resumptions.map(({ at }) => at - began)).toEqual([250, 6_250, 13_250])
    expect(resumptions.at(-1)?.at).toBeLessThan(began + ENOUGH_MS)
  })

  test('without a session', async () => {
    const { lasting, renew, resumptions } = scripted([start, broken], all)
    renew.mockRejectedValue(new Error('Expired.'))
    expect((await read(lasting)).failure).toMatchObject(broken)
    expect(resumptions).toEqual([])
  })
})

describe('a try', () => {
  test('that has a connection may wait for the next event', async () => {
    const { lasting, resumptions } = scripted([start, broken], ['connected', 'silence'])
    const controller = new AbortController()
    const collecting = collect(lasting, { signal: controller.signal })
    await vi.advanceTimersByTimeAsync(40_000)
    expect(resumptions).toHaveLength(1)
    controller.abort()
    expect((await collecting).failure).toBeUndefined()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is made again after a failure that may pass, with another token after a refused one', async () => {
    const { lasting, resumptions } = scripted(
      [start, broken],
      [refused('unauthorized')],
      [refused('internal', true)],
      [delta(1), delta(2), done(3)],
    )
    expect(await read(lasting)).toMatchObject({ events: all, failure: undefined })
    expect(resumptions.map(({ session }) => session.accessToken)).toEqual(['renewed 1', 'renewed 2', 'renewed 3'])
  })

  test('need not find an answer that was asked for a moment ago', async () => {
    const missing = [refused('not_found')]
    const lost: Script = [{ ...broken, phase: 'request' }]
    const found = scripted(lost, missing, missing, all)
    expect((await read(found.lasting)).events).toEqual(all)
    const lostForGood = scripted(lost, missing, missing, missing, all)
    expect(await read(lostForGood.lasting)).toMatchObject({ events: [], failure: { phase: 'request' } })
  })

  test('is made once where nobody knows whether the request had been sent, and again if somebody answers', async () => {
    const unsure = { ...unreachable, perhapsSent: true }
    const gone = scripted([unsure], [unreachable], all)
    expect((await read(gone.lasting)).failure).toMatchObject(unreachable)
    expect(gone.resumptions).toHaveLength(1)
    const back = scripted([unsure], [refused('not_found')], all)
    expect(await read(back.lasting)).toMatchObject({ events: all, failure: undefined })
  })
})

describe('stopping', () => {
  test('between two tries ends quietly, and leaves nothing behind', async () => {
    const { lasting, resumptions } = scripted([start, broken], all)
    const controller = new AbortController()
    const collecting = collect(lasting, { signal: controller.signal })
    await vi.advanceTimersByTimeAsync(100)
    controller.abort()
    expect(await collecting).toMatchObject({ events: [start], failure: undefined })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(resumptions).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('by the server needs a token that it accepts', async () => {
    const { lasting, cancel } = scripted()
    cancel.mockRejectedValueOnce(new TransportError(refused('unauthorized')))
    await lasting.cancel(STREAM_ID, { accessToken: 'old' })
    expect(cancel.mock.calls).toEqual([
      [STREAM_ID, { accessToken: 'old' }],
      [STREAM_ID, { accessToken: 'renewed 1' }],
    ])
    cancel.mockRejectedValueOnce(new TransportError(refused('not_found')))
    await expect(lasting.cancel(STREAM_ID, { accessToken: 'old' })).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('what is found again after a reload', () => {
  test('is read from its beginning, and goes on like any other', async () => {
    const { lasting, resumptions } = scripted([start, broken], [delta(1), delta(2), done(3)])
    const { events, resumedAfter } = await read(lasting, { after: 'the beginning' })
    expect(events).toEqual(all)
    expect(resumptions.map(({ after }) => after)).toEqual([undefined, 0])
    expect(resumedAfter).toEqual([0])
  })

  test('is tried again where the way there fails, but not where there is nothing', async () => {
    const found = scripted([unreachable], [unreachable], all)
    expect((await read(found.lasting, { after: 'the beginning' })).events).toEqual(all)
    const nothing = scripted([refused('not_found')], all)
    expect(await read(nothing.lasting, { after: 'the beginning' })).toMatchObject({
      events: [],
      failure: { code: 'not_found' },
    })
    expect(nothing.resumptions).toHaveLength(1)
  })
})
