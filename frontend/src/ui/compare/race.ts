import type { Lane } from '../../lane/reducer'
import { type Warmth, warmth } from '../../measure/measurement'
import type { Architecture, ChatRequest, Session, Transport } from '../../transports/transport'
import { LaneStore } from '../lane-store'
import type { RunningStream, RunningStreams } from '../running-streams'

export type Order = 'at-once' | 'in-turn'

export interface Setup {
  prompt: string
  maxTokens: number
  order: Order
  runs: number
}

/** One answer of a race, as it ended. */
export interface Result {
  lane: Lane
  warmth: Warmth
}

export interface Round {
  startedAt: Date
  results: Partial<Record<Architecture, Result>>
}

export interface RaceState {
  /** Stopping: the lanes are still to hear the end of their answers. */
  phase: 'idle' | 'running' | 'stopping' | 'finished'
  setup?: Setup
  /** The lanes were under way before a reload of the page: nothing of them is a result. */
  foundAgain?: boolean
  /** Rounds that are over, the last one last. */
  rounds: readonly Round[]
}

/** The lanes of the comparison and the rounds that they run, outside React. */
export class Race {
  readonly architectures: readonly Architecture[]
  readonly #transports: Partial<Record<Architecture, Transport>>
  readonly #session: () => Promise<Session>
  readonly #running: RunningStreams | undefined
  readonly #lanes = new Map<Architecture, LaneStore>()
  readonly #listeners = new Set<() => void>()
  #state: RaceState = { phase: 'idle', rounds: [] }
  #shown: readonly { architecture: Architecture; lane: Lane }[] = []
  /** When the last answer of each has ended, for as long as the page lives. */
  readonly #endedAt = new Map<Architecture, number>()
  #generation = 0

  /** `running` is where answers under way are kept beyond a reload. */
  constructor(
    transports: Partial<Record<Architecture, Transport>>,
    session: () => Promise<Session>,
    running?: RunningStreams,
  ) {
    this.#transports = transports
    this.#session = session
    this.#running = running
    this.architectures = Object.keys(transports) as Architecture[]
    for (const architecture of this.architectures) this.#lanes.set(architecture, new LaneStore())
  }

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly state = () => this.#state

  lane(architecture: Architecture): LaneStore {
    const store = this.#lanes.get(architecture)
    if (!store) throw new Error(`There is no lane for ${architecture}.`)
    return store
  }

  readonly subscribeLanes = (listener: () => void) => {
    const ends = [...this.#lanes.values()].map(store => store.subscribe(listener))
    return () => {
      for (const end of ends) end()
    }
  }

  /** All lanes as of the last frame: the same array while none has changed, as React wants it. */
  readonly lanesShown = () => {
    const now = this.architectures.map(architecture => ({ architecture, lane: this.lane(architecture).shown() }))
    if (now.some(({ lane }, index) => lane !== this.#shown[index]?.lane)) this.#shown = now
    return this.#shown
  }

  /** Rejects when there is no session; whatever happens to an answer is told by its lane. */
  async start(setup: Setup) {
    const generation = ++this.#generation
    for (const store of this.#lanes.values()) store.clear()
    this.#running?.forgetAll('compare')
    this.#become({ phase: 'running', setup, rounds: [] })
    try {
      for (let round = 0; round < setup.runs && this.#goesOn(generation); round++) {
        const finished = await this.#round(setup, round, generation)
        // A round that was stopped is no result.
        if (!this.#goesOn(generation)) return
        this.#become({ ...this.#state, rounds: [...this.#state.rounds, finished] })
      }
    } finally {
      if (generation === this.#generation) this.#become({ ...this.#state, phase: 'finished' })
    }
  }

  /** Stops the answers, and the race as soon as they have ended. Called again, closes their connections. */
  stop() {
    const { phase } = this.#state
    if (phase === 'running') this.#become({ ...this.#state, phase: 'stopping' })
    if (phase !== 'running' && phase !== 'stopping') return
    for (const store of this.#lanes.values()) {
      if (phase === 'stopping') store.close()
      else store.stop()
    }
  }

  clear() {
    this.#generation++
    for (const store of this.#lanes.values()) store.clear()
    this.#become({ phase: 'idle', rounds: [] })
  }

  /** Shows what was under way before a reload of the page. */
  async findAgain() {
    const streams = this.#running?.of('compare').filter(({ architecture }) => this.#lanes.has(architecture)) ?? []
    const [first] = streams
    if (!first || this.#state.phase !== 'idle') return
    const generation = ++this.#generation
    const setup: Setup = { prompt: first.prompt, maxTokens: first.maxTokens, order: 'at-once', runs: 1 }
    this.#become({ phase: 'running', setup, rounds: [], foundAgain: true })
    let found = false
    try {
      const session = await this.#session()
      const all = await Promise.all(streams.map(stream => this.#goesOn(generation) && this.#findLane(stream, session)))
      found = all.some(Boolean)
    } catch {
      // Without a session nothing is found now, and everything still after signing in again.
    }
    if (generation !== this.#generation) return
    this.#become(found ? { ...this.#state, phase: 'finished' } : { phase: 'idle', rounds: [] })
  }

  /** Another try of one lane, in the last round. */
  async retry(architecture: Architecture) {
    const { setup, phase } = this.#state
    if (!setup || phase === 'running' || phase === 'stopping') return
    const generation = this.#generation
    const ended = await this.#answer(architecture, setup, await this.#session())
    if (generation !== this.#generation) return
    const last = this.#state.rounds.at(-1) ?? { startedAt: new Date(), results: {} }
    const results = { ...last.results, [architecture]: ended }
    const rounds = [...this.#state.rounds.slice(0, -1), { ...last, results }]
    this.#become({ ...this.#state, rounds })
  }

  async #round(setup: Setup, round: number, generation: number): Promise<Round> {
    // Before any clock starts: refreshing a token is not part of an answer.
    const session = await this.#session()
    const finished: Round = { startedAt: new Date(), results: {} }
    const run = async (architecture: Architecture) => {
      if (!this.#goesOn(generation)) return
      finished.results[architecture] = await this.#answer(architecture, setup, session)
    }
    if (setup.order === 'at-once') {
      await Promise.all(this.architectures.map(run))
      return finished
    }
    // Whoever goes first warms what they share, the model above all: each round begins with another lane.
    const shift = round % this.architectures.length
    const turns = [...this.architectures.slice(shift), ...this.architectures.slice(0, shift)]
    for (const architecture of turns) {
      await run(architecture)
    }
    return finished
  }

  #goesOn(generation: number): boolean {
    return generation === this.#generation && this.#state.phase === 'running'
  }

  async #answer(architecture: Architecture, setup: Setup, session: Session): Promise<Result> {
    const transport = this.#transports[architecture]
    if (!transport) throw new Error(`There is no address for ${architecture}.`)
    const request: ChatRequest = {
      streamId: crypto.randomUUID(),
      messages: [{ role: 'user', content: setup.prompt }],
      maxTokens: setup.maxTokens,
    }
    const { streamId } = request
    const { prompt, maxTokens } = setup
    this.#running?.remember({ streamId, architecture, view: 'compare', prompt, maxTokens, startedAt: Date.now() })
    const startedAt = performance.now()
    const lane = await this.lane(architecture).run(transport, request, session)
    this.#running?.forget(streamId)
    const result = { lane, warmth: warmth(startedAt, this.#endedAt.get(architecture)) }
    if (lane.phase === 'done') this.#endedAt.set(architecture, performance.now())
    return result
  }

  /** False where the server has no such answer: then it is as if there had been none. */
  async #findLane({ architecture, streamId }: RunningStream, session: Session): Promise<boolean> {
    const transport = this.#transports[architecture]
    if (!transport) return false
    const store = this.lane(architecture)
    const lane = await store.findAgain(transport, streamId, session)
    this.#running?.forget(streamId)
    if (lane.streamId === streamId && lane.failure?.code === 'not_found') store.clear()
    return lane.failure?.code !== 'not_found'
  }

  #become(state: RaceState) {
    this.#state = state
    for (const listener of this.#listeners) listener()
  }
}
