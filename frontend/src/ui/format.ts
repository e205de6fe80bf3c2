/** Numbers as a person compares them: three or so figures, never a false precision. An unknown one is a dash. */
export const UNKNOWN = '–'

export function milliseconds(value: number | undefined): string {
  if (value === undefined) return UNKNOWN
  if (value < 10) return `${value.toFixed(1)} ms`
  if (value < 10_000) return `${value.toFixed(0)} ms`
  return `${(value / 1000).toFixed(1)} s`
}

export function seconds(value: number | undefined): string {
  if (value === undefined) return UNKNOWN
  return `${(value / 1000).toFixed(2)} s`
}

/** Whole seconds in the two units that matter. */
export function duration(value: number): string {
  if (value < 60) return `${value} s`
  const minutes = Math.ceil(value / 60)
  if (minutes < 60) return `${minutes} min`
  const rest = minutes % 60
  return `${Math.floor(minutes / 60)} h${rest > 0 ? ` ${rest} min` : ''}`
}

export function rate(value: number | undefined): string {
  return value === undefined ? UNKNOWN : value.toFixed(value < 100 ? 1 : 0)
}

export function count(value: number | undefined): string {
  return value === undefined ? UNKNOWN : value.toLocaleString('en-US')
}

export function bytes(value: number | undefined): string {
  if (value === undefined) return UNKNOWN
  return value < 1000 ? `${value} B` : `${(value / 1000).toFixed(1)} kB`
}

export function dollars(value: number | undefined): string {
  if (value === undefined) return UNKNOWN
  return `$${value.toFixed(value < 1 ? 3 : 2)}`
}
