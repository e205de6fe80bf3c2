import { describe, expect, test } from 'vitest'
import { fromFragment, type SharedResult, shareable, toFragment } from './share'

const lane = {
  runs: 3,
  connectMs: 12.3,
  acceptedMs: 20,
  firstTokenMs: 400,
  firstTokenP95Ms: 412.5,
  interTokenP50Ms: 17.7,
  interTokenP95Ms: 25,
  tokensPerSecond: 55.5,
  totalMs: 4000.1,
  bytes: 21527,
  messages: 201,
  outputTokens: 200,
  costPerThousand: 0.0000123,
}
const result: SharedResult = { day: '2026-11-22', lanes: { 'function-url': lane, appsync: { runs: 1, totalMs: 5 } } }
const fragment = toFragment(result)

describe('a result in the address', () => {
  test('comes back as it was, with # or without', () => {
    expect(fromFragment(fragment)).toEqual(result)
    expect(fromFragment(`#${fragment}`)).toEqual(result)
  })

  test('is small and needs no escapes', () => {
    const lanes = { 'function-url': lane, 'websocket-api': lane, appsync: lane }
    const whole = toFragment({ ...result, lanes })
    expect(whole.length).toBeLessThan(300)
    expect(new URL(`http://localhost/#${whole}`).hash).toBe(`#${whole}`)
  })

  test('has six digits of each number', () => {
    const [first] = [fromFragment(toFragment({ ...result, lanes: { appsync: { runs: 1, totalMs: 1234.56789 } } }))]
    expect(first?.lanes.appsync?.totalMs).toBe(1234.57)
  })

  test('is what has been shown, to the last bit', () => {
    const shown = shareable({ runs: 2, firstTokenMs: 516.4000000003725, totalMs: 560.9 - 1e-10 })
    expect(shown).toEqual({ runs: 2, firstTokenMs: 516.4, totalMs: 560.9 })
    expect(fromFragment(toFragment({ ...result, lanes: { appsync: shown } }))?.lanes.appsync).toEqual(shown)
  })
})

describe('what is no result', () => {
  test.each([
    [''],
    ['#'],
    ['#result='],
    ['#result=1'],
    ['#result=1~2026-11-22'],
    [`#${fragment.replace('=1~', '=2~')}`],
    [`#${fragment.replace('2026-11-22', '2026-02-31')}`],
    [`#${fragment.replace('2026-11-22', 'yesterday')}`],
    [`#${fragment.replace('~f,', '~x,')}`],
    [`#${fragment.replace('~a,', '~f,')}`],
    [`#${fragment.replace('~f,3', '~f,0')}`],
    [`#${fragment.replace('~f,3', '~f,1.5')}`],
    [`#${fragment.replace('~f,3', '~f,')}`],
    [`#${fragment.replace(',400,', ',-400,')}`],
    [`#${fragment.replace(',400,', ',NaN,')}`],
    [`#${fragment.replace(',400,', ',0x10,')}`],
    [`#${fragment.replace(',400,', ',1e300,')}`],
    [`#${fragment.replace(',400,', ',<script>,')}`],
    [`#${fragment},7`],
    [`#${fragment}~`],
    [`#${fragment.replace(',400,', `,400.${'0'.repeat(3_000)},`)}`],
    ['#result=%E0%A4%A'],
  ])('%s is passed over', text => {
    expect(fromFragment(text)).toBeUndefined()
  })

  test('never throws, whichever character is another one', () => {
    for (const [index] of [...fragment].entries()) {
      for (const other of ['', '~', ',', '-', '%', '9', '\u0000']) {
        expect(() => fromFragment(fragment.slice(0, index) + other + fragment.slice(index + 1))).not.toThrow()
      }
    }
  })
})
