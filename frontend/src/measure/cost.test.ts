import { describe, expect, test } from 'vitest'
import { idle, type Lane } from '../lane/reducer'
import { ARCHITECTURES } from '../transports/transport'
import { cost } from './cost'
import { PRICE_TABLE, type Prices } from './prices'

const { prices } = PRICE_TABLE
const event = { type: 'ping' } as const

/** 10 s, and `deltas` messages of text between `start` and `done`. */
function answer(deltas: number, bytes = 100): Lane {
  const messages = deltas + 2
  const events = Array.from({ length: messages }, () => ({ at: 0, bytes, event }))
  const timing = { total_ms: 10_000 }
  return { ...idle, phase: 'done', startedAt: 0, connectedAt: 0, endedAt: 10_000, timing, messages, events }
}

describe('1,000 answers of 500 tokens in 10 s cost what the documentation says', () => {
  test.each([
    ['function-url', 500, '0.017'],
    ['websocket-api', 500, '0.52'],
    ['websocket-api', 167, '0.19'],
    ['websocket-api', 25, '0.046'],
    ['appsync', 500, '3.04'],
    ['appsync', 100, '0.64'],
    ['appsync', 41, '0.28'],
  ] as const)('%s with %i messages: %s USD', (architecture, deltas, expected) => {
    const withoutTheLog = { ...prices, dynamodbWrites: 0, dynamodbReads: 0 }
    const { perThousand } = cost(architecture, answer(deltas), withoutTheLog) ?? {}
    expect(perThousand?.toFixed(expected.length - 2)).toBe(expected)
  })

  test.each(ARCHITECTURES)('the stream log of %s: 0.035 USD', architecture => {
    const items = cost(architecture, answer(100), prices)?.items.filter(item => item.operation.includes('stream log'))
    const perThousand = (items ?? []).reduce((sum, item) => sum + item.dollars, 0) * 1000
    expect(perThousand.toFixed(3)).toBe('0.035')
  })
})

describe('what is counted', () => {
  const quantities = (architecture: (typeof ARCHITECTURES)[number], lane: Lane) =>
    Object.fromEntries((cost(architecture, lane, prices)?.items ?? []).map(item => [item.operation, item.quantity]))

  test('is an invocation and its time with function-url', () => {
    expect(quantities('function-url', answer(3))).toEqual({
      'Lambda requests': 1,
      'GB-seconds of Lambda (128 MB)': 1.25,
      'writes of the stream log': 48,
      'reads of the stream log': 40,
    })
  })

  test('is each message both ways with websocket-api', () => {
    expect(quantities('websocket-api', answer(3))).toMatchObject({
      'messages of 32 KB': 6,
      'minutes connected': 10 / 60,
      'Lambda requests': 4,
    })
    expect(quantities('websocket-api', answer(3, 32 * 1024))['messages of 32 KB']).toBe(6)
    expect(quantities('websocket-api', answer(3, 32 * 1024 + 1))['messages of 32 KB']).toBe(11)
  })

  test('is each mutation and each update with appsync', () => {
    expect(quantities('appsync', answer(3))).toMatchObject({ operations: 7, 'updates of 5 KB': 5, 'SQS requests': 3 })
    expect(quantities('appsync', answer(3, 5 * 1024 + 1))).toMatchObject({ operations: 7, 'updates of 5 KB': 10 })
  })

  test('is also what the lane has not kept for inspection', () => {
    const long = { ...answer(3), messages: 50 }
    expect(quantities('websocket-api', long)['messages of 32 KB']).toBe(51)
  })
})

test('every price counts somewhere', () => {
  const total = (changed: Prices) =>
    ARCHITECTURES.reduce((sum, architecture) => sum + (cost(architecture, answer(10), changed)?.dollars ?? 0), 0)
  for (const name of Object.keys(prices) as (keyof Prices)[]) {
    expect(total({ ...prices, [name]: prices[name] * 2 }), name).toBeGreaterThan(total(prices))
  }
})

test('the sum is that of its items, a thousand times', () => {
  const whole = cost('appsync', answer(10), prices)
  const sum = whole?.items.reduce((all, item) => all + item.dollars, 0) ?? 0
  expect(whole?.dollars).toBeCloseTo(sum, 12)
  expect(whole?.perThousand).toBeCloseTo(sum * 1000, 9)
})

test('an answer that was found again has no times, and so no price', () => {
  expect(cost('function-url', { ...answer(3), foundAgain: true }, prices)).toBeUndefined()
})

test.each(['streaming', 'failed', 'stopped'] as const)('an answer that is %s has no price yet', phase => {
  expect(cost('function-url', { ...answer(3), phase }, prices)).toBeUndefined()
})
