import { readFile } from 'node:fs/promises'
import type { Page } from '@playwright/test'
import { ARCHITECTURES, race } from '../e2e/page.ts'
import { probe } from '../e2e/probe.ts'
import { idle, type Lane, lane } from '../src/lane/reducer'
import { measure } from '../src/measure/measurement'
import { readSettings, type Settings } from '../src/settings'
import type { FromWorker, ToWorker } from '../src/worker/messages'

export const PROMPT = 'Why is the sky blue? Answer in two sentences.'
export const MAX_TOKENS = 128
export const METRICS = ['connected', 'first token', 'between p50', 'between p95', 'total'] as const
/** In milliseconds. */
type Numbers = Partial<Record<(typeof METRICS)[number], number | undefined>>
export type Measured = Record<string, Numbers>

/** A race of the page itself, as it exports it. */
export async function drawn(page: Page): Promise<Measured> {
  await page.getByLabel('Prompt', { exact: true }).fill(PROMPT)
  await page.getByLabel('at most').selectOption(String(MAX_TOKENS))
  await race(page)
  const downloading = page.waitForEvent('download')
  await page.getByRole('button', { name: 'JSON' }).click()
  const { runs } = JSON.parse(await readFile(await (await downloading).path(), 'utf8'))
  return Object.fromEntries(
    runs.map((run: Record<string, number>) => [
      run.architecture,
      {
        connected: run.connect_ms,
        'first token': run.first_token_ms,
        'between p50': run.inter_token_p50_ms,
        'between p95': run.inter_token_p95_ms,
        total: run.total_ms,
      },
    ]),
  )
}

/** Does it while the main thread has only 20 of every 120 ms for everything. */
export async function blocked(page: Page, race: () => Promise<Measured>): Promise<Measured> {
  const timer = await page.evaluate(() =>
    setInterval(() => {
      const until = performance.now() + 100
      while (performance.now() < until);
    }, 120),
  )
  try {
    return await race()
  } finally {
    await page.evaluate(id => clearInterval(id), timer)
  }
}

/** A race of the page's own worker, at the hands of an empty page. */
export async function bare(page: Page, worker: string, accessToken: string): Promise<Measured> {
  const runs = ARCHITECTURES.map((architecture, id) => ({
    type: 'run' as const,
    id,
    purpose: 'comparing' as const,
    architecture,
    request: {
      streamId: crypto.randomUUID(),
      messages: [{ role: 'user' as const, content: PROMPT }],
      maxTokens: MAX_TOKENS,
    },
    session: { accessToken },
  }))
  const heard = await page.evaluate(hear, { worker, settings: readSettings(process.env), runs })
  return Object.fromEntries(
    runs.map(({ id, architecture, request }) => {
      const messages = heard.filter(message => message.id === id)
      return [architecture, numbers(messages, request.streamId)]
    }),
  )
}

/** Runs in the page. */
function hear({ worker, settings, runs }: { worker: string; settings: Settings; runs: ToWorker[] }) {
  const kept = window as { worker?: Worker }
  if (!kept.worker) {
    kept.worker = new Worker(worker, { type: 'module' })
    kept.worker.postMessage({ type: 'open', settings })
  }
  const port = kept.worker
  return new Promise<FromWorker[]>(resolve => {
    const heard: FromWorker[] = []
    let running = runs.length
    port.onmessage = ({ data }: { data: FromWorker }) => {
      heard.push(data)
      if ((data.type === 'ended' || data.type === 'failed') && --running === 0) resolve(heard)
    }
    for (const run of runs) port.postMessage(run)
  })
}

/** By the same reducer and the same measurement as in the page. */
function numbers(messages: FromWorker[], streamId: string): Numbers {
  const end = messages.reduce<Lane>((state, message) => {
    if (message.type === 'began') return lane(idle, { type: 'begin', at: message.at, streamId })
    return message.type === 'received' || message.type === 'connected' ? lane(state, message) : state
  }, idle)
  if (end.phase !== 'done') throw new Error(`A lane of the reference ended as ${end.phase}.`)
  const m = measure(end)
  return {
    connected: m.connectMs,
    'first token': m.firstTokenMs,
    'between p50': m.interTokenP50Ms,
    'between p95': m.interTokenP95Ms,
    total: m.totalMs,
  }
}

/** It does not tell the times between tokens. */
export async function probed(): Promise<Measured> {
  const rows = await probe(PROMPT, MAX_TOKENS)
  return Object.fromEntries(
    rows.map(row => [
      row.architecture,
      { connected: row.connect_ms, 'first token': row.first_token_ms, total: row.total_ms },
    ]),
  )
}
