/**
 * When the browser had a connection and sent the request to `url` that was made at `since`; fetch itself tells nothing
 * before the answer's headers. Undefined where that is not known: other origins need `Timing-Allow-Origin`, and the
 * browser's buffer may be full.
 */
export function requestSentAt(url: string, since: number): number | undefined {
  const entries = performance.getEntriesByName(new URL(url).href, 'resource') as PerformanceResourceTiming[]
  // The browser's times are rounded. Where the preflight has an entry of its own, the request's is the later one.
  const entry = entries.filter(({ startTime }) => startTime >= since - 1).at(-1)
  // What the server does not allow to be seen is 0.
  return entry && entry.requestStart > 0 ? entry.requestStart : undefined
}
