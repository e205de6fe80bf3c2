import { describe, expect, test } from 'vitest'
import { idle, type Lane, lane } from '../lane/reducer'
import { measure, PAUSE_MS, warmth } from './measurement'

const answered: Lane = {
  ...idle,
  phase: 'done',
  text: 'x'.repeat(100),
  startedAt: 1_000,
  connectedAt: 1_020,
  acceptedAt: 1_050,
  firstTokenAt: 1_200,
  endedAt: 2_300,
  bytes: 900,
  messages: 7,
  duplicates: 1,
  arrivals: [1_200, 1_300, 1_400, 1_410, 2_200].map(at => ({ at, characters: 20 })),
  usage: { input_tokens: 5, output_tokens: 50 },
}

describe('an answer', () => {
  test('is measured from the moment of the request', () => {
    expect(measure(answered)).toEqual({
      connectMs: 20,
      acceptedMs: 50,
      firstTokenMs: 200,
      interTokenP50Ms: 100,
      interTokenP95Ms: 790,
      tokensPerSecond: 50,
      totalMs: 1_300,
      bytes: 900,
      messages: 7,
      reconnects: 0,
      outputTokens: 50,
      estimatedTokens: false,
      gaps: 0,
      duplicates: 1,
      outcome: 'done',
    })
  })

  test('has an estimate of its tokens until the server has counted them', () => {
    const { usage: _, ...uncounted } = answered
    const running = measure({ ...uncounted, phase: 'streaming' })
    expect(running).toMatchObject({ outputTokens: 25, estimatedTokens: true, tokensPerSecond: 25, outcome: 'running' })
  })

  test('that has hardly begun has no numbers, and no zeros in their place', () => {
    const begun = measure(lane(idle, { type: 'begin', at: 5, streamId: 's' }))
    const unknown = [
      'connectMs',
      'acceptedMs',
      'firstTokenMs',
      'interTokenP50Ms',
      'interTokenP95Ms',
      'totalMs',
    ] as const
    expect(unknown.map(name => begun[name])).toEqual(unknown.map(() => undefined))
    expect(begun.tokensPerSecond).toBeUndefined()
    expect(measure({ ...answered, arrivals: answered.arrivals.slice(0, 1) }).tokensPerSecond).toBeUndefined()
  })

  test('that was taken up again keeps its times, and how often', () => {
    const resumptions = [
      { at: 1_250, after: 1 },
      { at: 1_500, after: 4 },
    ]
    expect(measure({ ...answered, resumptions })).toEqual({ ...measure(answered), reconnects: 2 })
  })

  test('that was found again after a reload has no times', () => {
    expect(measure({ ...answered, foundAgain: true })).toEqual({
      ...measure(answered),
      connectMs: undefined,
      acceptedMs: undefined,
      firstTokenMs: undefined,
      interTokenP50Ms: undefined,
      interTokenP95Ms: undefined,
      tokensPerSecond: undefined,
      totalMs: undefined,
    })
  })

  test.each([
    ['failed', 'failed'],
    ['stopped', 'stopped'],
    ['connecting', 'running'],
    ['accepted', 'running'],
  ] as const)('of the phase %s is %s', (phase, outcome) => {
    expect(measure({ ...answered, phase }).outcome).toBe(outcome)
  })
})

test('a run is a first one until there was an answer, and after a pause', () => {
  expect(warmth(0, undefined)).toBe('first')
  expect(warmth(PAUSE_MS, 1)).toBe('warm')
  expect(warmth(PAUSE_MS, 0)).toBe('first')
})
