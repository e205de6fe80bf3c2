import { readFile } from 'node:fs/promises'
import { arrivals, expect, race, signIn, test } from './page.ts'
import { probe } from './probe.ts'

const PROMPT = 'Why is the sky blue?'

/** The greater over the lesser. */
const ratio = (a: number, b: number) => Math.max(a, b) / Math.min(a, b)

test('the page and `probe` tell the same about the same answer', async ({ page }) => {
  await signIn(page)
  await page.getByLabel('Prompt', { exact: true }).fill(PROMPT)
  await page.getByLabel('at most').selectOption('128')
  await race(page)
  const downloading = page.waitForEvent('download')
  await page.getByRole('button', { name: 'JSON' }).click()
  const { runs } = JSON.parse(await readFile(await (await downloading).path(), 'utf8'))
  const probed = await probe(PROMPT, 128)
  expect(probed).toHaveLength(3)

  for (const theirs of probed) {
    const { architecture } = theirs
    const ours = runs.find((run: { architecture: string }) => run.architecture === architecture)
    const events = (await arrivals(page, architecture)).map(({ event }) => event)
    expect(events.map(({ text = '' }) => text).join(''), architecture).toBe(theirs.text)
    expect(events.at(-1)?.stop_reason, architecture).toBe(theirs.stop_reason)
    expect(ours.output_tokens, architecture).toBe(theirs.output_tokens)
    expect(ours.messages).toBe(events.length)
    // How many pieces go into one message is a matter of milliseconds.
    expect(ratio(ours.messages, theirs.events), `${architecture}: events`).toBeLessThan(1.25)
    expect(ratio(ours.bytes, theirs.bytes), `${architecture}: bytes`).toBeLessThan(1.25)
    // Two processes on a busy machine: only a wrong clock or a wrong beginning would be further apart.
    for (const time of ['first_token_ms', 'total_ms', 'tokens_per_second'] as const) {
      expect(ratio(ours[time], theirs[time]), `${architecture}: ${time}`).toBeLessThan(2)
    }
  }
})
