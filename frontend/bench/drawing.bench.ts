import { writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { test } from '@playwright/test'
import { signIn } from '../e2e/page.ts'
import { bare, blocked, drawn, type Measured, probed } from './arms.ts'
import { report } from './report.ts'

/** Of each arm. */
const ROUNDS = Number(process.env.ROUNDS ?? 15)

test('the numbers with and without drawing', async ({ browser }) => {
  const context = await browser.newContext({
    baseURL: process.env.PAGE_URL ?? '',
    viewport: { width: 1440, height: 900 },
  })
  const page = await context.newPage()
  await signIn(page)
  const worker = page.workers()[0]?.url()
  const token = await page.evaluate(
    () => Object.entries(sessionStorage).find(([key]) => key.endsWith('.accessToken'))?.[1],
  )
  if (!worker || !token) throw new Error('The page has no worker, or no token.')
  const empty = await context.newPage()
  await empty.route('**/empty', route => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }))
  await empty.goto('/empty')

  const draw = () => page.bringToFront().then(() => drawn(page))
  const listen = () => empty.bringToFront().then(() => bare(empty, worker, token))
  const arms: [string, () => Promise<Measured>][] = [
    ['page', draw],
    ['page, blocked', () => blocked(page, draw)],
    ['worker alone', listen],
    ['worker alone, blocked', () => blocked(empty, listen)],
    ['probe', probed],
  ]
  const [load = 0] = loadavg()
  const rounds = new Map(arms.map(([name]) => [name, [] as Measured[]]))
  // The first of each warms functions and connections, and does not count.
  for (const [, run] of arms) await run()
  for (let round = 0; round < ROUNDS; round++) {
    // Each round begins with another arm: none always follows the one that leaves the machine busy.
    const shift = round % arms.length
    for (const [name, run] of [...arms.slice(shift), ...arms.slice(0, shift)]) rounds.get(name)?.push(await run())
  }

  const [cpu] = cpus()
  const { markdown, json } = report(rounds, {
    day: new Date().toISOString().slice(0, 10),
    CPU: cpu?.model ?? '',
    cores: cpus().length,
    Chromium: browser.version(),
    Node: process.version,
    'load before': load.toFixed(1),
  })
  const write = (name: string, text: string) => writeFile(new URL(name, import.meta.url), text)
  await Promise.all([write('results.md', markdown), write('results.json', json)])
  console.log(markdown)
})
