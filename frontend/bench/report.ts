import { ARCHITECTURES } from '../e2e/page.ts'
import { level } from '../src/measure/standing'
import { median, percentile } from '../src/measure/statistics'
import { MAX_TOKENS, METRICS, type Measured } from './arms.ts'

interface Spread {
  median: number
  p25: number
  p75: number
}

const ABOUT = `# Does drawing disturb the numbers?

Written by \`npm run bench\`, against the stand-ins of \`make local\` on one machine: all three architectures at once, ${MAX_TOKENS}
tokens, built page, real Chromium. Milliseconds: the median, and from the first to the third quartile.

- **page**: as it is, with React, Markdown, charts. Its own export is read.
- **page, blocked**: the same while a script takes 100 of every 120 ms of its main thread.
- **worker alone**: the page's worker at the hands of an empty page. Nothing is drawn. Also blocked in the same way.
- **probe**: the command line client, which has no times between tokens.

A number is level with that of the worker alone by the rule that the page decides winners by (5 ms or 2 %, the larger).
`

export function report(rounds: Map<string, Measured[]>, environment: Record<string, string | number>) {
  const count = Math.min(...[...rounds.values()].map(list => list.length))
  const tables = ARCHITECTURES.map(architecture => {
    const arms = [...rounds].map(([name, measured]) => ({
      name,
      numbers: METRICS.map(metric => spread(measured.flatMap(all => all[architecture]?.[metric] ?? []))),
    }))
    return { architecture, arms }
  })
  const markdown = [
    ABOUT,
    `${Object.entries(environment)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}. ${count} races of each, alternating.`,
    ...tables.flatMap(({ architecture, arms }) => [
      `\n## ${architecture}\n`,
      `| | ${METRICS.join(' | ')} |`,
      `|---|${'--:|'.repeat(METRICS.length)}`,
      ...arms.map(({ name, numbers }) => `| ${name} | ${numbers.map(cell).join(' | ')} |`),
      '',
      ...verdicts(arms),
    ]),
  ].join('\n')
  return {
    markdown: `${markdown}\n`,
    json: `${JSON.stringify({ environment, races: count, rounds: Object.fromEntries(rounds) }, undefined, 1)}\n`,
  }
}

function verdicts(arms: { name: string; numbers: (Spread | undefined)[] }[]): string[] {
  const alone = arms.find(({ name }) => name === 'worker alone')
  return arms
    .filter(({ name }) => name !== 'worker alone' && name !== 'probe')
    .map(({ name, numbers }) => {
      const differing = METRICS.flatMap((metric, index) => {
        const [mine, its] = [numbers[index], alone?.numbers[index]]
        if (!mine || !its || level(mine.median, its.median)) return []
        const by = mine.median - its.median
        return [
          `${metric} ${by > 0 ? '+' : '−'}${Math.abs(by).toFixed(1)} ms${overlap(mine, its) ? ' (quartiles overlap)' : ''}`,
        ]
      })
      return `- ${name}: ${differing.length > 0 ? `not level in ${differing.join(', ')}` : 'level in all of them'}`
    })
}

function overlap(a: Spread, b: Spread): boolean {
  return a.p25 <= b.p75 && b.p25 <= a.p75
}

function spread(values: number[]): Spread | undefined {
  const [middle, p25, p75] = [median(values), percentile(values, 25), percentile(values, 75)]
  return middle === undefined || p25 === undefined || p75 === undefined ? undefined : { median: middle, p25, p75 }
}

function cell(found: Spread | undefined): string {
  return found ? `${found.median.toFixed(1)} (${found.p25.toFixed(1)}–${found.p75.toFixed(1)})` : '–'
}
