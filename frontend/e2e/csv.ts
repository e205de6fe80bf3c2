import { readFile } from 'node:fs/promises'
import type { Page } from '@playwright/test'

interface Exported {
  name: string
  csv: string
  /** By their columns' names. None of the values has a comma in it. */
  runs: Record<string, string>[]
}

export async function exported(page: Page): Promise<Exported> {
  const downloading = page.waitForEvent('download')
  await page.getByRole('button', { name: 'CSV' }).click()
  const file = await downloading
  const csv = await readFile(await file.path(), 'utf8')
  const [names = [], ...rows] = csv
    .trimEnd()
    .split('\r\n')
    .map(line => line.split(','))
  const runs = rows.map(cells => Object.fromEntries(names.map((name, index) => [name, cells[index] ?? ''])))
  return { name: file.suggestedFilename(), csv, runs }
}
