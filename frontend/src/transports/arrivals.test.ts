import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Arrivals, PATIENCE } from './arrivals'
import type { Received } from './transport'

const ping: Received = { at: 0, bytes: 1, event: { type: 'ping' } }
const start: Received = { at: 0, bytes: 1, event: { type: 'start', stream_id: 's', seq: 0, model: 'm' } }

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** What was read, and why there was no more. */
async function read(arrivals: Arrivals): Promise<string[]> {
  const told: string[] = []
  try {
    for await (const { event } of arrivals) told.push(event.type)
    return [...told, 'end']
  } catch (error) {
    return [...told, String(error)]
  }
}

test('receiving does not wait for reading, and a failure comes after all that was received', async () => {
  const arrivals = new Arrivals(new AbortController().signal)
  for (const received of [start, ping, ping]) arrivals.push(received)
  arrivals.close('Broken.')
  arrivals.push(ping)
  expect(await read(arrivals)).toEqual(['start', 'ping', 'ping', 'TransportError: Broken.'])
})

test('a stop ends quietly, even after a failure that nobody has read, and what waits is not told any more', async () => {
  const controller = new AbortController()
  const arrivals = new Arrivals(controller.signal)
  arrivals.push(start)
  arrivals.close()
  controller.abort()
  expect(await read(arrivals)).toEqual(['end'])
})

test('a stop from before the beginning ends at once', async () => {
  expect(await read(new Arrivals(AbortSignal.abort()))).toEqual(['end'])
  expect(vi.getTimerCount()).toBe(0)
})

test('the silence before the start may be longer than the one after it, and a ping ends it', async () => {
  const arrivals = new Arrivals(new AbortController().signal)
  vi.advanceTimersByTime(PATIENCE.untilStart - 1)
  arrivals.push(start)
  vi.advanceTimersByTime(PATIENCE.between - 1)
  arrivals.push(ping)
  vi.advanceTimersByTime(PATIENCE.between - 1)
  expect(arrivals.ended).toBe(false)
  vi.advanceTimersByTime(1)
  const silent = 'TransportError: Nothing has arrived for 45 s, not even a sign of life.'
  expect(await read(arrivals)).toEqual(['start', 'ping', silent])
})
