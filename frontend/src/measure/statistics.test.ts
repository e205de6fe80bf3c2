import { expect, test } from 'vitest'
import { median, percentile, summarize } from './statistics'

test.each([
  [[], 50, undefined],
  [[7], 50, 7],
  [[7], 95, 7],
  [[3, 1, 2], 50, 2],
  [[4, 1, 3, 2], 50, 2],
  [[15, 20, 35, 40, 50], 30, 20],
  [[15, 20, 35, 40, 50], 40, 20],
  [[15, 20, 35, 40, 50], 100, 50],
  [[15, 20, 35, 40, 50], 0, 15],
  [Array.from({ length: 20 }, (_, index) => index + 1), 95, 19],
  [Array.from({ length: 21 }, (_, index) => index + 1), 95, 20],
  [[10, 9, 100], 95, 100],
])('of %j percentile %i is %o, by nearest rank', (values, percent, expected) => {
  expect(percentile(values, percent)).toBe(expected)
})

test.each([
  [[], undefined],
  [[5], 5],
  [[10, 9, 100], 10],
  [[1, 2, 3, 10], 2.5],
])('the median of %j is %o', (values, expected) => {
  const before = [...values]
  expect(median(values)).toBe(expected)
  expect(values).toEqual(before)
})

test('a summary leaves out what is not known', () => {
  expect(summarize([3, undefined, 1, 2])).toEqual({ count: 3, median: 2, p95: 3, min: 1, max: 3 })
  expect(summarize([undefined])).toBeUndefined()
})
