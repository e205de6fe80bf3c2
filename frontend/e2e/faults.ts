import { test as base } from './page.ts'
import { openStack, type Stack } from './stack.ts'

/** What local-cloud takes, as far as these tests use it: docs/local-development.md has the whole of it. */
export interface Plan {
  model?: { tokens: readonly string[]; first_token_ms: number; between_tokens_ms: number; ending?: Ending }
  posts?: readonly At<CallFault>[]
  publishes?: readonly At<CallFault>[]
  deliveries?: readonly At<'lose' | 'repeat' | 'swap' | 'cut'>[]
}

export type Ending =
  | { exception: { after: number; kind: string } }
  | { truncated: { after: number } }
  | { refused: { status: number; kind: string; times: number } }

/** A call of the model, without its texts. */
export interface ModelCall {
  /** How many it has sent. */
  tokens: number
  completed: boolean
  /** Nobody reads it any more. */
  closed: boolean
}

type CallFault = { refuse: number } | { done_but: number }

interface At<F> {
  call: number
  times?: number
  fault: F
}

/**
 * What is in each text of an answer's way to the client and in nothing of another architecture's: the request of
 * function-url, whose answer is met as a whole, and the events of the other two. Calls are counted for each.
 */
const MARKERS = { 'function-url': '"content":"', 'websocket-api': '"type":"delta"', appsync: '"type":"DELTA"' }

/** The plans of one cloud. The latest that fits decides. */
export class Faults {
  readonly #address: string
  readonly #markers = new Set<string>()

  constructor(address: string) {
    this.#address = address
  }

  /** For all streams. */
  async plan(plan: Plan) {
    await this.#put('', plan)
  }

  /** For the deltas of one architecture, in function-url also for what comes before them and after. */
  async planDeltas(architecture: keyof typeof MARKERS, deliveries: Plan['deliveries']) {
    await this.planFor(MARKERS[architecture], deliveries)
  }

  /** For the messages that contain the marker. */
  async planFor(marker: string, deliveries: Plan['deliveries']) {
    await this.#put(marker, { deliveries: deliveries ?? [] })
  }

  /** Of the requests that contain the marker, such as a question. */
  async modelCalls(marker: string): Promise<ModelCall[]> {
    const response = await fetch(`${this.#address}/model-calls?marker=${encodeURIComponent(marker)}`)
    if (!response.ok) throw new Error(`The calls of the model are not told: ${await response.text()}`)
    return response.json()
  }

  async forget() {
    for (const marker of this.#markers) await this.#ask('DELETE', marker)
    this.#markers.clear()
  }

  async #put(marker: string, plan: Plan) {
    this.#markers.add(marker)
    await this.#ask('PUT', marker, JSON.stringify(plan))
  }

  async #ask(method: string, marker: string, body?: string) {
    const path = marker === '' ? '/plans' : `/plans/${encodeURIComponent(marker)}`
    const response = await fetch(this.#address + path, { method, ...(body !== undefined && { body }) })
    if (!response.ok) throw new Error(`The plan was refused: ${await response.text()}`)
  }
}

/** Tests on a cloud and a page of their worker's own, as a plan meets every stream of a cloud. */
export const test = base.extend<{ faults: Faults }, { stack: Stack }>({
  stack: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads what a fixture needs from this pattern
    async ({}, use) => {
      const stack = await openStack({ faults: true })
      await use(stack)
      await stack.close()
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  baseURL: async ({ stack }, use) => use(stack.url),
  faults: async ({ stack }, use) => {
    if (!stack.faults) throw new Error('The cloud takes no plans.')
    const faults = new Faults(stack.faults)
    await use(faults)
    // Whatever a failed test has left.
    await faults.forget()
  },
})
