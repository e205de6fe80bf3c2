/**
 * Percentiles are by nearest rank: the smallest value that at least `percent` of all are not above. So every one is a
 * value that was measured, and with few values the high ones are the greatest. Undefined without any value.
 */
export function percentile(values: readonly number[], percent: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]
}

/** The middle value; of an even number of values the mean of the two in the middle. Undefined without any. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.floor((sorted.length - 1) / 2)]
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2
}

export interface Summary {
  count: number
  median: number
  p95: number
  min: number
  max: number
}

/** Of what is known of repeated runs. Undefined when nothing is. */
export function summarize(values: readonly (number | undefined)[]): Summary | undefined {
  const known = values.filter(value => value !== undefined)
  const middle = median(known)
  const high = percentile(known, 95)
  if (middle === undefined || high === undefined) return undefined
  return { count: known.length, median: middle, p95: high, min: Math.min(...known), max: Math.max(...known) }
}
