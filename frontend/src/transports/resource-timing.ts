/** How long after an answer the browser may take to tell about it. */
const LATE_MS = 250

/**
 * Watches for the browser's own account of the request to `url` that is about to be made: fetch itself tells nothing
 * before the answer's headers. To be closed.
 */
export class RequestTiming {
  readonly #url: string
  readonly #since = performance.now()
  readonly #entries: PerformanceResourceTiming[] = []
  readonly #observer: PerformanceObserver
  #heard = () => {}

  constructor(url: string) {
    this.#url = new URL(url).href
    // The list of `performance.getEntries` would not do: it is limited, and behind.
    this.#observer = new PerformanceObserver(list => {
      this.#entries.push(...(list.getEntries() as PerformanceResourceTiming[]))
      this.#heard()
    })
    this.#observer.observe({ type: 'resource' })
  }

  /**
   * When there was a connection and the request left, told after the whole answer, whose headers came at `answeredAt`
   * with `status`. Undefined where it is not known: other origins need `Timing-Allow-Origin`.
   */
  async sentAt(answeredAt: number, status: number): Promise<number | undefined> {
    const mine = () =>
      this.#entries.find(
        // The browser's times are rounded. A preflight, which may have an entry too, is over before the answer begins.
        // A refusal is so short that it may have come whole before anybody heard of it; no preflight has its status.
        ({ name, startTime, responseEnd, responseStatus }) =>
          name === this.#url &&
          startTime >= this.#since - 1 &&
          (responseEnd >= answeredAt - 1 || (status >= 400 && responseStatus === status)),
      )
    if (!mine()) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, LATE_MS)
        this.#heard = () => {
          if (!mine()) return
          clearTimeout(timer)
          resolve()
        }
      })
    }
    // What the server does not allow to be seen is 0.
    return mine()?.requestStart || undefined
  }

  close() {
    this.#observer.disconnect()
  }
}
