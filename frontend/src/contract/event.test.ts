import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ERROR_CODES, type ErrorCode, isErrorCode, WHAT_TO_DO } from './error-code'
import { ContractError, decodeEvent, isTerminal, parseEvent, STOP_REASONS, seqOf } from './event'

const golden = (name: string) => JSON.parse(readFileSync(new URL(`../../../protocol/${name}`, import.meta.url), 'utf8'))

const events: { name: string; event: Record<string, unknown>; line: string }[] = golden('events.json')
const errors: { code: ErrorCode; message: string }[] = golden('errors.json')

describe('the golden files of the contract', () => {
  test.each(events)('$name is decoded to the letter', ({ event, line }) => {
    expect(parseEvent(line)).toEqual(event)
    expect(decodeEvent(event)).toEqual(event)
  })

  test.each(events)('$name may have fields that nobody knows yet, and null for absent ones', ({ event }) => {
    expect(decodeEvent({ ...event, novelty: { a: 1 }, usage: event.usage ?? null })).toEqual(event)
  })

  test('every stop reason occurs', () => {
    const reasons = events.flatMap(({ event }) => event.stop_reason ?? [])
    expect(new Set(reasons)).toEqual(new Set(STOP_REASONS))
  })

  test('the error codes are those of the table, and each says what to do', () => {
    expect(errors.map(({ code }) => code)).toEqual([...ERROR_CODES])
    for (const code of ERROR_CODES) expect(WHAT_TO_DO[code]).toMatch(/\.$/)
  })

  test.each(errors)('what to do about $code is more than its message says', ({ code, message }) => {
    const clauses = (text: string) =>
      text
        .toLowerCase()
        .split(/[.:,;] ?| and | or /)
        .filter(Boolean)
    expect(clauses(message).filter(said => WHAT_TO_DO[code].toLowerCase().includes(said))).toEqual([])
  })
})

const start = { type: 'start', stream_id: 's', seq: 0, model: 'm' }
const delta = { type: 'delta', stream_id: 's', seq: 1, text: 'x' }
const done = { type: 'done', stream_id: 's', seq: 2, stop_reason: 'end_turn', timing: { total_ms: 1 } }

test.each([
  ['nothing', undefined],
  ['a list', [start]],
  ['a string', 'start'],
  ['no type', { stream_id: 's' }],
  ['an unknown type', { ...start, type: 'novelty' }],
  ['a start with another number', { ...start, seq: 1 }],
  ['a start without a model', { ...start, model: undefined }],
  ['a delta without a stream', { ...delta, stream_id: null }],
  ['a delta with a negative number', { ...delta, seq: -1 }],
  ['a delta with a broken number', { ...delta, seq: 1.5 }],
  ['a delta with a number as a string', { ...delta, seq: '1' }],
  ['a delta without text', { ...delta, text: 7 }],
  ['a done without a number', { ...done, seq: undefined }],
  ['a done with an unknown stop reason', { ...done, stop_reason: 'novelty' }],
  ['a done without timing', { ...done, timing: undefined }],
  ['a done with half a usage', { ...done, usage: { input_tokens: 1 } }],
  ['an error without a code', { type: 'error', message: 'm', retryable: true }],
  ['an error that does not say whether to retry', { type: 'error', code: 'internal', message: 'm' }],
])('%s is not an event', (_, value) => {
  expect(() => decodeEvent(value)).toThrow(ContractError)
})

test('what is not JSON is not an event, and the complaint does not quote it', () => {
  expect(() => parseEvent('secret {')).toThrow('An event is not JSON.')
  expect(() => decodeEvent({ ...delta, text: ['secret'] })).toThrow('`text` is not a string.')
})

test('a code that a newer server may have is an internal error with its own sentence', () => {
  const event = decodeEvent({ type: 'error', code: 'novelty', message: 'Something new.', retryable: true })
  expect(event).toEqual({ type: 'error', code: 'internal', message: 'Something new.', retryable: true })
  expect(isErrorCode('novelty')).toBe(false)
})

test('an error may say after how many seconds to try again', () => {
  const error = { type: 'error', code: 'rate_limited', message: 'Enough.', retryable: true }
  expect(decodeEvent({ ...error, retry_after: 40 })).toEqual({ ...error, retry_after: 40 })
  expect(() => decodeEvent({ ...error, retry_after: 'soon' })).toThrow('`retry_after` is not a whole number from 0.')
})

test('done and error end a stream, and a ping has no number', () => {
  expect([start, delta, done].map(event => isTerminal(decodeEvent(event)))).toEqual([false, false, true])
  expect(isTerminal({ type: 'error', code: 'internal', message: '', retryable: true })).toBe(true)
  expect([start, delta, { type: 'ping' }].map(event => seqOf(decodeEvent(event)))).toEqual([0, 1, undefined])
})
