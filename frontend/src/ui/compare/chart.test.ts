import { expect, test } from 'vitest'
import { axis } from './chart'

test.each([
  [0, [0, 2, 4, 6, 8, 10]],
  [10, [0, 2, 4, 6, 8, 10]],
  [11, [0, 5, 10, 15]],
  [15.2, [0, 5, 10, 15, 20]],
  [26, [0, 10, 20, 30]],
  [100, [0, 20, 40, 60, 80, 100]],
  [128, [0, 50, 100, 150]],
  [1_024, [0, 500, 1_000, 1_500]],
])('an axis for %d has the ticks %j', (value, ticks) => {
  expect(axis(value, 10).ticks).toEqual(ticks)
})

test('whatever an answer has, the steps are whole, 1, 2 or 5 with noughts, and all of it fits', () => {
  for (let value = 0; value < 20_000; value += 7) {
    const { step, ticks } = axis(value, 10)
    expect(String(step)).toMatch(/^[125]0*$/)
    expect(ticks.at(-1)).toBeGreaterThanOrEqual(value)
    expect(ticks.length).toBeLessThanOrEqual(6)
    expect(ticks.length).toBeGreaterThanOrEqual(4)
    for (const [index, tick] of ticks.entries()) expect(tick).toBe(index * step)
  }
})
