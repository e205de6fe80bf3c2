import { readFile } from 'node:fs/promises'
import type { Page } from '@playwright/test'

/** The exported runs by their columns' names. None of the values has a comma in it. */
export async function exportedRuns(page: Page): Promise<Record<string, string>[]> {
  const downloading = page.waitForEvent('download')
  await page.getByRole('button', { name: 'CSV' }).click()
  const csv = await readFile(await (await downloading).path(), 'utf8')
  const [names = [], ...rows] = csv
    .trimEnd()
    .split('\r\n')
    .map(line => line.split(','))
  return rows.map(cells => Object.fromEntries(names.map((name, index) => [name, cells[index] ?? ''])))
}
