import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { StreamEvent } from '../contract/event'
import { InOrder, type InOrderOptions, WINDOW } from './in-order'
import type { Received } from './transport'

const event = (seq: number): StreamEvent => ({ type: 'delta', stream_id: 's', seq, text: '' })
const received = (event: StreamEvent) => ({ at: 0, bytes: 0, event })

function order(options?: InOrderOptions) {
  const handed: (number | string)[] = []
  const handOn = ({ event }: Received) => handed.push('seq' in event ? (event.seq ?? event.type) : event.type)
  const inOrder = new InOrder(handOn, options)
  const push = (...seqs: number[]) => {
    for (const seq of seqs) inOrder.push(received(event(seq)))
  }
  return { handed, inOrder, push }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test.each([
  [
    [0, 1, 2],
    [0, 1, 2],
  ],
  [
    [1, 0, 3, 2],
    [0, 1, 2, 3],
  ],
  [
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  ],
  [
    [0, 0, 1, 0],
    [0, 0, 1, 0],
  ],
  [
    [2, 2, 0, 1],
    [0, 1, 2, 2],
  ],
  [[0, 2], [0]],
])('%j is handed on as %j, repetitions too', (arriving, expected) => {
  const { handed, push } = order()
  push(...arriving)
  expect(handed).toEqual(expected)
})

test('what has no number does not wait', () => {
  const { handed, inOrder, push } = order()
  push(1)
  inOrder.push(received({ type: 'ping' }))
  inOrder.push(received({ type: 'error', code: 'interrupted', message: '', retryable: true }))
  expect(handed).toEqual(['ping', 'error'])
})

test('a number is lost after 16 later events, and the rest goes on behind it', () => {
  const { handed, push } = order()
  const later = Array.from({ length: WINDOW.events }, (_, index) => index + 2)
  push(0, ...later)
  expect(handed).toEqual([0])
  push(WINDOW.events + 2)
  expect(handed).toEqual([0, ...later, WINDOW.events + 2])
  push(WINDOW.events + 3)
  expect(handed.at(-1)).toBe(WINDOW.events + 3)
})

test('a number is lost after 2 s, counted from when it was first missed', () => {
  const { handed, push } = order()
  push(0, 2)
  vi.advanceTimersByTime(WINDOW.ms - 1)
  push(3)
  expect(handed).toEqual([0])
  vi.advanceTimersByTime(1)
  expect(handed).toEqual([0, 2, 3])
})

test('the next number that is missing has 2 s of its own', () => {
  const { handed, push } = order()
  push(0, 2, 4)
  vi.advanceTimersByTime(WINDOW.ms - 1)
  push(1)
  vi.advanceTimersByTime(WINDOW.ms - 1)
  expect(handed).toEqual([0, 1, 2])
  vi.advanceTimersByTime(1)
  expect(handed).toEqual([0, 1, 2, 4])
})

test('several gaps are all given up at once when the stream is over', () => {
  const { handed, inOrder, push } = order()
  push(2, 4, 6)
  inOrder.flush()
  expect(handed).toEqual([2, 4, 6])
  expect(vi.getTimerCount()).toBe(0)
})

test('nothing is left behind', () => {
  const { handed, inOrder, push } = order()
  push(1)
  inOrder.close()
  vi.advanceTimersByTime(WINDOW.ms)
  expect(handed).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})

test('the first number may be another one', () => {
  const { handed, inOrder, push } = order({ next: 5 })
  expect([inOrder.last, order().inOrder.last]).toEqual([4, undefined])
  push(6, 5)
  expect([handed, inOrder.last]).toEqual([[5, 6], 6])
})

test('what is missing may be looked for, and what is found is lacking no more, however it comes later', () => {
  const onMissing = vi.fn()
  const { handed, inOrder, push } = order({ onMissing })
  push(0, 2)
  vi.advanceTimersByTime(WINDOW.ms)
  expect(onMissing).toHaveBeenCalledOnce()
  expect([handed, inOrder.waits]).toEqual([[0], true])
  expect([0, 1, 2, 3].map(seq => inOrder.lacks(event(seq)))).toEqual([false, true, false, true])
  inOrder.fill(received(event(1)))
  expect([handed, inOrder.waits]).toEqual([[0, 1, 2], false])
  push(1, 3, 1)
  expect(handed).toEqual([0, 1, 2, 3, 1])
  expect(vi.getTimerCount()).toBe(0)
})

test('what is missing is asked for again while more comes behind it', () => {
  const onMissing = vi.fn()
  const { push } = order({ onMissing })
  push(0, ...Array.from({ length: WINDOW.events + 1 }, (_, index) => index + 2))
  expect(onMissing).toHaveBeenCalledOnce()
  push(30)
  expect(onMissing).toHaveBeenCalledTimes(2)
})

/** The same numbers in each run: mulberry32. */
function seeded(seed: number) {
  let state = seed
  return (below: number) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** Numbers from 0, in an order in which at most a window of them waits for another, some of them twice. */
function shuffled(count: number, random: (below: number) => number) {
  const left = Array.from({ length: count }, (_, seq) => seq)
  const arriving: number[] = []
  while (left[0] !== undefined) {
    const next = left[0]
    const early = arriving.filter(seq => seq > next).length
    arriving.push(...left.splice(early < WINDOW.events ? random(left.length) : 0, 1))
    // One that waits twice would take a place in the window twice.
    const past = random(next + 1)
    if (random(8) === 0 && past < next) arriving.push(past)
  }
  return arriving
}

test('any order within the window is put right at once, and behind a lost number there is a gap', () => {
  for (let seed = 0; seed < 200; seed += 1) {
    const random = seeded(seed)
    const arriving = shuffled(2 + random(60), random)
    const once = (seqs: (number | string)[]) => [...new Set(seqs)]
    const sorted = once(arriving).sort((a, b) => Number(a) - Number(b))

    const whole = order()
    whole.push(...arriving)
    expect(once(whole.handed), `seed ${seed}`).toEqual(sorted)
    expect(whole.handed, `seed ${seed}`).toHaveLength(arriving.length)
    expect(vi.getTimerCount(), `seed ${seed}`).toBe(0)

    const lost = random(sorted.length - 1)
    const gapped = order()
    gapped.push(...arriving.filter(seq => seq !== lost))
    gapped.inOrder.flush()
    // Before the gap all is in order; behind it nothing is held back, and nothing is dropped.
    const handed = once(gapped.handed)
    expect(handed.slice(0, lost), `seed ${seed} without ${lost}`).toEqual(sorted.slice(0, lost))
    expect(handed.sort((a, b) => Number(a) - Number(b))).toEqual(sorted.filter(seq => seq !== lost))
  }
})
