import { expect, test } from 'vitest'
import { type Entry, least, level } from './standing'

test.each([
  [400, 400.1, true, 'a tenth of a millisecond is nothing'],
  [100, 104.9, true, 'below 5 ms'],
  [100, 105, false, 'from 5 ms on'],
  [1000, 1019, true, 'below 2 % of the less'],
  [1000, 1020, false, 'from 2 % on'],
  [1020, 1000, false, 'in either order'],
  [0, 4, true, 'also next to nothing at all'],
])('%d ms and %d ms are level: %s, %s', (a, b, expected) => {
  expect(level(a, b)).toBe(expected)
})

test('without a floor only the share counts', () => {
  expect(level(50, 50.9, 0)).toBe(true)
  expect(level(50, 51.1, 0)).toBe(false)
})

const entries = (...values: [string, number | undefined, number?][]): Entry<string>[] =>
  values.map(([name, value, slow]) => ({ name, value, slow }))

test('the winner has the least, and the others are behind it in order', () => {
  expect(least(entries(['a', 30], ['b', 20], ['c', undefined], ['d', 25]))).toEqual({
    leaders: ['b'],
    value: 20,
    spread: 0,
    behind: [
      { name: 'd', by: 5, percent: 25 },
      { name: 'a', by: 10, percent: 50 },
    ],
    overlapping: [],
  })
})

test('who cannot be told apart from the least is level with it, and only with it', () => {
  expect(least(entries(['a', 404], ['b', 400], ['c', 408.5]))).toMatchObject({
    leaders: ['b', 'a'],
    value: 400,
    spread: 4,
    behind: [{ name: 'c', by: 8.5 }],
  })
  expect(least(entries(['a', 404], ['b', 400], ['c', 407]))).toMatchObject({
    leaders: ['b', 'a', 'c'],
    spread: 7,
    behind: [],
  })
})

test('runs overlap when the slow ones of the least are no sooner than a median behind it', () => {
  const runs = entries(['a', 400, 430], ['b', 430, 440], ['c', 431, 900])
  expect(least(runs)).toMatchObject({ leaders: ['a'], overlapping: ['b'] })
})

test('one alone wins nothing, and nobody is behind by a part of zero', () => {
  expect(least(entries(['a', 1], ['b', undefined]))).toBeUndefined()
  expect(least(entries(['a', 0], ['b', 6]))?.behind).toEqual([{ name: 'b', by: 6, percent: 0 }])
})
