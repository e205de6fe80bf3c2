import { expect, test } from 'vitest'
import { idle } from '../lane/reducer'
import { type Run, toCsv, toJson } from './export'
import { measure } from './measurement'

const run: Run = {
  round: 1,
  architecture: 'function-url',
  startedAt: '2026-11-22T12:00:00.000Z',
  warmth: 'first',
  model: 'us.anthropic.claude-haiku-5-5',
  measurement: {
    ...measure(idle),
    connectMs: 12.345,
    acceptedMs: 20,
    firstTokenMs: 400.04,
    interTokenP50Ms: 17.77,
    interTokenP95Ms: 25,
    tokensPerSecond: 55.55,
    totalMs: 4_000.06,
    bytes: 21_527,
    messages: 201,
    outputTokens: 200,
    estimatedTokens: false,
    reconnects: 2,
    outcome: 'done',
  },
  costPerThousand: 0.0123456,
}
const { model: _, costPerThousand: __, ...unpriced } = run
const failed: Run = {
  ...unpriced,
  round: 2,
  architecture: 'appsync',
  warmth: 'warm',
  measurement: { ...measure(idle), outcome: 'failed' },
}

test('the table has a line of names, CRLF, and nothing where nothing is known', () => {
  expect(toCsv([run, failed]).split('\r\n')).toEqual([
    'round,architecture,started_at,warmth,model,outcome,connect_ms,accepted_ms,first_token_ms,inter_token_p50_ms,' +
      'inter_token_p95_ms,tokens_per_second,total_ms,output_tokens,tokens_estimated,bytes,messages,reconnects,gaps,' +
      'duplicates,usd_per_1000_answers',
    '1,function-url,2026-11-22T12:00:00.000Z,first,us.anthropic.claude-haiku-5-5,done,12.3,20,400,17.8,25,55.6,4000.1,' +
      '200,false,21527,201,2,0,0,0.01235',
    '2,appsync,2026-11-22T12:00:00.000Z,warm,,failed,,,,,,,,0,true,0,0,0,0,0,',
    '',
  ])
})

test.each([
  ['a,b', '"a,b"'],
  ['say "hi"', '"say ""hi"""'],
  ['two\nlines', '"two\nlines"'],
  ['two\rlines', '"two\rlines"'],
  ['=1+1', "'=1+1"],
  ['@x,y', '"\'@x,y"'],
  [' blank ', ' blank '],
])('a model called %j is the field %j', (model, field) => {
  expect(toCsv([{ ...run, model }])).toContain(`,first,${field},done,`)
})

test('JSON has the same rows for programs', () => {
  const { format, version, runs } = JSON.parse(toJson([run, failed]))
  expect([format, version, runs.length]).toEqual(['tristream-runs', 1, 2])
  expect(runs[0]).toMatchObject({ first_token_ms: 400, tokens_estimated: false, usd_per_1000_answers: 0.01235 })
  expect(runs[1]).not.toHaveProperty('first_token_ms')
})
