import { describe, expect, test } from 'vitest'
import type { StreamEvent } from '../contract/event'
import { TransportError } from '../transports/transport'
import { hasEnded, INSPECTED, idle, type Lane, type LaneAction, lane } from './reducer'

const stream_id = 's'
const start: StreamEvent = { type: 'start', stream_id, seq: 0, model: 'm' }
const delta = (seq: number, text = `${seq} `): StreamEvent => ({ type: 'delta', stream_id, seq, text })
const done = (seq: number): StreamEvent => ({
  type: 'done',
  stream_id,
  seq,
  stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 2 },
  timing: { total_ms: 3 },
})
const error = (seq?: number): StreamEvent => {
  const fields = { code: 'model_throttled', message: 'Busy.', retryable: true } as const
  return { type: 'error', stream_id, ...(seq !== undefined && { seq }), ...fields }
}
const ping: StreamEvent = { type: 'ping', stream_id }

const begin: LaneAction = { type: 'begin', at: 100, streamId: stream_id }
const at = (time: number, event: StreamEvent): LaneAction => ({
  type: 'received',
  received: { at: time, bytes: 10, event },
})
const play = (actions: LaneAction[], from: Lane = lane(idle, begin)) => actions.reduce(lane, from)
/** Events that arrive 1 ms after one another. */
const receive = (...events: StreamEvent[]) => play(events.map((event, index) => at(101 + index, event)))

describe('an answer', () => {
  test('goes through its phases and keeps the time of each', () => {
    const steps: [LaneAction, Partial<Lane>][] = [
      [
        { type: 'connected', at: 110 },
        { phase: 'connecting', connectedAt: 110 },
      ],
      [at(120, start), { phase: 'accepted', acceptedAt: 120, model: 'm', nextSeq: 1 }],
      [at(125, ping), { phase: 'accepted', messages: 2 }],
      [at(130, delta(1, 'Hel')), { phase: 'streaming', firstTokenAt: 130, text: 'Hel' }],
      [at(140, delta(2, 'lo')), { firstTokenAt: 130, text: 'Hello', nextSeq: 3 }],
      [at(150, done(3)), { phase: 'done', endedAt: 150, stopReason: 'end_turn', timing: { total_ms: 3 }, bytes: 50 }],
    ]
    let state = lane(idle, begin)
    expect(state).toMatchObject({ phase: 'connecting', startedAt: 100, streamId: 's' })
    for (const [action, expected] of steps) {
      state = lane(state, action)
      expect(state).toMatchObject(expected)
    }
    expect(state.arrivals).toEqual([
      { at: 130, characters: 3 },
      { at: 140, characters: 2 },
    ])
    expect(state.events.map(({ event }) => event.type)).toEqual(['start', 'ping', 'delta', 'delta', 'done'])
  })

  test('begins when its transport does, unless it has gone on already', () => {
    const began: LaneAction = { type: 'began', at: 105 }
    expect(play([began])).toEqual({ ...lane(idle, begin), startedAt: 105 })
    expect(play([{ type: 'connected', at: 110 }, began]).startedAt).toBe(100)
    expect(play([{ type: 'stopped', at: 101 }, began]).startedAt).toBe(100)
    expect(play([at(101, start), began]).startedAt).toBe(100)
  })

  test('that is begun again knows nothing of the former one', () => {
    expect(lane(receive(start, delta(1), done(2)), begin)).toEqual(lane(idle, begin))
  })

  test('that is refused fails before it was accepted; one that breaks off keeps its text', () => {
    expect(receive(error())).toMatchObject({ phase: 'failed', failure: { phase: 'request', code: 'model_throttled' } })
    const broken = receive(start, delta(1), error(2))
    expect(broken).toMatchObject({ phase: 'failed', failure: { phase: 'stream', message: 'Busy.' }, text: '1 ' })
    expect(broken.gaps).toBe(0)
  })

  test('that its transport gives up on has the failure as it is', () => {
    const failure = { phase: 'connect', code: 'network', message: 'No way.', retryable: true } as const
    const failed = play([{ type: 'failed', at: 105, error: new TransportError(failure) }])
    expect(failed).toMatchObject({ phase: 'failed', endedAt: 105, failure })
  })
})

describe('what the network does', () => {
  test.each<[string, StreamEvent[], Partial<Lane>]>([
    [
      'a repetition is counted and dropped',
      [start, delta(1), delta(1), start, delta(2)],
      { text: '1 2 ', duplicates: 2 },
    ],
    ['a missing number ends the text', [start, delta(1), delta(3)], { text: '1 ', gaps: 1, phase: 'failed' }],
    ['several missing numbers are counted', [start, delta(5)], { gaps: 4, text: '', phase: 'failed' }],
    ['nothing is joined behind a gap', [start, delta(2), delta(1), done(3)], { text: '', gaps: 1, phase: 'failed' }],
    ['an end with a number too high is a gap', [start, delta(1), done(3)], { gaps: 1, phase: 'failed' }],
    ['a missing start is a gap', [delta(1)], { gaps: 1, phase: 'failed' }],
    ['an error outside the count is no gap', [start, delta(1), error()], { gaps: 0, phase: 'failed' }],
    [
      'events after the end change nothing',
      [start, done(1), delta(2), error()],
      { phase: 'done', text: '', messages: 2 },
    ],
    [
      'other streams are not ours',
      [start, { ...delta(1), stream_id: 'other' } as StreamEvent],
      { messages: 1, text: '' },
    ],
    ['an id in other letters is another id', [{ ...start, stream_id: 'S' } as StreamEvent], { phase: 'connecting' }],
    ['an error without an id is about us', [{ ...error(), stream_id: undefined } as never], { phase: 'failed' }],
  ])('%s', (_, events, expected) => {
    expect(receive(...events)).toMatchObject(expected)
  })

  test('the failure of a gap names what is missing', () => {
    expect(receive(start, delta(3)).failure?.message).toContain('Events 1 to 2 never arrived')
    expect(receive(start, delta(2)).failure).toMatchObject({ phase: 'stream', code: 'protocol', retryable: true })
  })

  test('text that waited for an earlier event was readable only when that had come', () => {
    const state = play([at(110, start), at(130, delta(1)), at(120, delta(2)), at(125, done(3))])
    expect(state.arrivals.map(arrival => arrival.at)).toEqual([130, 130])
    expect(state.endedAt).toBe(130)
  })
})

describe('an answer that is stopped', () => {
  const cancelled: StreamEvent = {
    type: 'done',
    stream_id,
    seq: 2,
    stop_reason: 'cancelled',
    timing: { total_ms: 3 },
  }

  test('goes on until its server ends it, and keeps its text', () => {
    const stopping = play([at(101, start), at(102, delta(1)), { type: 'stopping' }])
    expect(stopping).toMatchObject({ phase: 'streaming', stopping: true })
    const stopped = lane(stopping, at(110, cancelled))
    expect(stopped).toMatchObject({ phase: 'stopped', stopReason: 'cancelled', text: '1 ', endedAt: 110 })
    expect(stopped.usage).toBeUndefined()
  })

  test('from elsewhere is stopped as well', () => {
    expect(receive(start, delta(1), cancelled)).toMatchObject({ phase: 'stopped', stopReason: 'cancelled' })
  })

  test('too late is whole', () => {
    const stopping = play([at(101, start), at(102, delta(1)), { type: 'stopping' }])
    expect(lane(stopping, at(110, done(2)))).toMatchObject({ phase: 'done', text: '1 ' })
  })
})

describe('an answer that is taken up again', () => {
  test('notes where, and is on its way again', () => {
    const dropped = play([at(101, start), at(102, delta(1)), { type: 'dropped', at: 103 }])
    expect(dropped).toMatchObject({ phase: 'streaming', droppedAt: 103, resumptions: [] })
    const resumed = play(
      [{ type: 'resumed', at: 110, after: 1 }, at(110, delta(2)), { type: 'resumed', at: 120, after: 2 }],
      dropped,
    )
    expect(resumed.droppedAt).toBeUndefined()
    expect(resumed.resumptions).toEqual([
      { at: 110, after: 1 },
      { at: 120, after: 2 },
    ])
    expect(play([at(130, done(3))], resumed)).toMatchObject({ phase: 'done', text: '1 2 ', gaps: 0, duplicates: 0 })
  })

  test('after a reload is marked as such', () => {
    const begun = lane(idle, { ...begin, foundAgain: true } as LaneAction)
    expect(begun).toEqual({ ...lane(idle, begin), foundAgain: true })
    expect(lane(begun, begin).foundAgain).toBeUndefined()
  })
})

test('a refusal that says for how long counts from when it came', () => {
  const limited = { ...error(), code: 'rate_limited', retry_after: 40 } as StreamEvent
  expect(receive(limited).failure).toMatchObject({ code: 'rate_limited', retryAfter: 40, retryAt: 101 + 40_000 })
  const failure = { phase: 'request', code: 'rate_limited', message: '', retryable: true, retryAfter: 2 } as const
  const failed = play([{ type: 'failed', at: 105, error: new TransportError(failure) }])
  expect(failed.failure).toMatchObject({ retryAt: 2_105 })
})

describe('what does not belong', () => {
  test('an idle lane hears of nothing', () => {
    for (const action of [at(1, start), { type: 'stopped', at: 1 }, { type: 'connected', at: 1 }] as LaneAction[]) {
      expect(lane(idle, action)).toBe(idle)
    }
  })

  test('of two times of the connection the earlier counts, even after the end', () => {
    const state = play([{ type: 'connected', at: 120 }, at(120, start), at(130, done(1))])
    expect(lane(state, { type: 'connected', at: 103 })).toEqual({ ...state, connectedAt: 103 })
    expect(lane(state, { type: 'connected', at: 121 })).toBe(state)
  })

  test('only what can be inspected is kept, but all of it is counted', () => {
    const state = play(Array.from({ length: INSPECTED + 5 }, () => at(101, ping)))
    expect([state.events.length, state.messages, state.bytes]).toEqual([INSPECTED, INSPECTED + 5, (INSPECTED + 5) * 10])
  })
})

/** mulberry32: the same numbers for the same seed. */
function random(seed: number) {
  let state = seed
  return (below: number) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below || 0
  }
}

/** An answer of a few deltas, and what a bad network could make of it. */
function badlyDelivered(seed: number) {
  const below = random(seed)
  const pick = (limit: number) => Math.floor(below(limit))
  const length = 1 + pick(12)
  const whole = [start, ...Array.from({ length }, (_, index) => delta(index + 1)), done(length + 1)]
  const arriving = whole.flatMap(event => {
    const mishaps: StreamEvent[][] = [
      [],
      [event, event],
      [event, whole[pick(whole.length)] ?? event],
      [ping, event],
      [{ ...event, stream_id: 'other' } as StreamEvent, event],
    ]
    return mishaps[pick(12)] ?? [event]
  })
  const text = whole.map(event => (event.type === 'delta' ? event.text : '')).join('')
  return { text, arriving: pick(4) === 0 ? arriving.reverse() : arriving }
}

test('whatever arrives, the text is a beginning of the answer, and whole when it is done', () => {
  const phases = new Set<string>()
  for (let seed = 1; seed <= 1_000; seed++) {
    const { text, arriving } = badlyDelivered(seed)
    let before = lane(idle, begin)
    for (const [index, event] of arriving.entries()) {
      const after = lane(before, at(101 + index, event))
      expect(text.startsWith(after.text) && after.text.startsWith(before.text), `seed ${seed}`).toBe(true)
      if (hasEnded(before)) expect(after, `seed ${seed}`).toBe(before)
      const { text: same, phase } = lane(after, at(999, event))
      expect([same, phase], `seed ${seed}`).toEqual([after.text, after.phase])
      before = after
    }
    if (before.phase === 'done') expect(before.text, `seed ${seed}`).toBe(text)
    expect(before.phase === 'failed', `seed ${seed}`).toBe(before.gaps > 0)
    phases.add(before.phase)
  }
  // The seeds meet every kind of end.
  expect(phases).toEqual(new Set(['connecting', 'streaming', 'done', 'failed']))
})
