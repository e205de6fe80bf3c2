import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { RequestTiming } from './resource-timing'

// Node's fetch knows no such times, so the browser's part is played here.
let tell: (...entries: object[]) => void
const disconnect = vi.fn()

beforeEach(() => {
  vi.useFakeTimers()
  vi.setSystemTime(0)
  vi.stubGlobal(
    'PerformanceObserver',
    class {
      observe = vi.fn()
      disconnect = disconnect
      constructor(callback: (list: { getEntries: () => object[] }) => void) {
        tell = (...entries) => callback({ getEntries: () => entries })
      }
    },
  )
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

const url = 'http://127.0.0.1:4501'
const since = () => performance.now()
const entry = (over: object) => ({
  name: `${url}/`,
  startTime: since(),
  requestStart: since() + 8,
  responseEnd: since() + 900,
  ...over,
})

test('the time is that of the request, whether the browser tells it before it is asked or after', async () => {
  const timing = new RequestTiming(url)
  const expected = since() + 8
  const later = timing.sentAt(since() + 20, 200)
  tell(entry({}))
  expect(await later).toBe(expected)
  expect(await timing.sentAt(since() + 20, 200)).toBe(expected)
  timing.close()
  expect(disconnect).toHaveBeenCalledOnce()
})

test('a refusal may have come whole before its headers were heard of', async () => {
  const timing = new RequestTiming(url)
  tell(entry({ responseEnd: since() + 5, responseStatus: 204, requestStart: since() + 1 }))
  tell(entry({ responseEnd: since() + 15, responseStatus: 429 }))
  expect(await timing.sentAt(since() + 20, 429)).toBe(since() + 8)
})

test.each([
  ['another address', () => ({ name: 'http://127.0.0.1:4501/other' })],
  ['an earlier request', () => ({ startTime: since() - 500 })],
  ['the preflight', () => ({ responseEnd: since() + 5, responseStatus: 200 })],
  ['a server that does not allow to see it', () => ({ requestStart: 0 })],
])('%s tells nothing, and is not waited for without an end', async (_, over) => {
  const timing = new RequestTiming(url)
  const asked = timing.sentAt(since() + 20, 200)
  tell(entry(over()))
  await vi.advanceTimersByTimeAsync(250)
  expect(await asked).toBeUndefined()
})
