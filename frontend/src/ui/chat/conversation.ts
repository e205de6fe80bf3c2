import type { Architecture, Message, Session, Transport } from '../../transports/transport'
import { LaneStore } from '../lane-store'
import type { RunningStreams } from '../running-streams'

export interface Turn {
  id: string
  prompt: string
  architecture: Architecture
  answer: LaneStore
}

export interface ConversationState {
  turns: readonly Turn[]
  /** An answer is on its way. */
  running: boolean
  /** It has been asked to stop, and is still to end. */
  stopping?: boolean
  /** Why an answer could not even be asked for. */
  problem?: string
}

/** The contract allows 50 messages that begin and end with the user's. */
const MOST_MESSAGES = 49

/** A chat of many turns, outside React. */
export class Conversation {
  readonly #transports: Partial<Record<Architecture, Transport>>
  readonly #session: () => Promise<Session>
  readonly #running: RunningStreams | undefined
  readonly #listeners = new Set<() => void>()
  #state: ConversationState = { turns: [], running: false }

  /** `running` is where answers under way are kept beyond a reload. */
  constructor(
    transports: Partial<Record<Architecture, Transport>>,
    session: () => Promise<Session>,
    running?: RunningStreams,
  ) {
    this.#transports = transports
    this.#session = session
    this.#running = running
  }

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly state = () => this.#state

  async send(prompt: string, architecture: Architecture) {
    if (this.#state.running) return
    await this.#answer({ id: crypto.randomUUID(), prompt, architecture, answer: new LaneStore() }, this.#state.turns)
  }

  /** Asks the last question anew, through whichever architecture is chosen now. */
  async regenerate(architecture: Architecture) {
    const last = this.#state.turns.at(-1)
    if (!last || this.#state.running) return
    const turn = { ...last, id: crypto.randomUUID(), architecture, answer: new LaneStore() }
    await this.#answer(turn, this.#state.turns.slice(0, -1))
  }

  /** Called again, closes the connection. */
  stop() {
    if (!this.#state.running) return
    this.#become({ ...this.#state, stopping: true })
    this.#state.turns.at(-1)?.answer.stop()
  }

  clear() {
    this.#state.turns.at(-1)?.answer.clear()
    this.#become({ turns: [], running: false })
  }

  /** Shows the answer that was under way before a reload of the page. The turns before it are not kept anywhere. */
  async findAgain() {
    const stream = this.#running?.of('chat').at(-1)
    const transport = stream && this.#transports[stream.architecture]
    if (!stream || !transport || this.#state.turns.length > 0) return
    const { streamId, prompt, architecture } = stream
    const turn: Turn = { id: crypto.randomUUID(), prompt, architecture, answer: new LaneStore() }
    this.#become({ turns: [turn], running: true })
    let found = false
    try {
      const session = await this.#session()
      if (!this.#isLast(turn)) return
      const lane = await turn.answer.findAgain(transport, streamId, session)
      this.#running?.forget(streamId)
      found = lane.failure?.code !== 'not_found'
    } catch {
      // Without a session nothing is found now, and still after signing in again.
    }
    if (this.#isLast(turn)) this.#become({ turns: found ? [turn] : [], running: false })
  }

  async #answer(turn: Turn, before: readonly Turn[]) {
    const transport = this.#transports[turn.architecture]
    if (!transport) return
    const messages = [...history(before), { role: 'user' as const, content: turn.prompt }]
    this.#become({ turns: [...before, turn], running: true })
    let problem: string | undefined
    try {
      const session = await this.#session()
      // Cleared while it waited for the session: nobody reads this answer.
      if (!this.#isLast(turn)) return
      if (this.#state.stopping) {
        this.#become({ turns: before, running: false })
        return
      }
      const streamId = crypto.randomUUID()
      const { prompt, architecture } = turn
      this.#running?.forgetAll('chat')
      this.#running?.remember({ streamId, architecture, view: 'chat', prompt, startedAt: Date.now() })
      await turn.answer.run(transport, { streamId, messages: messages.slice(-MOST_MESSAGES) }, session)
      this.#running?.forget(streamId)
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error)
    }
    if (this.#isLast(turn)) {
      this.#become({ turns: this.#state.turns, running: false, ...(problem && { problem }) })
    }
  }

  /** Whether it is still there. */
  #isLast(turn: Turn): boolean {
    return this.#state.turns.at(-1) === turn
  }

  #become(state: ConversationState) {
    this.#state = state
    for (const listener of this.#listeners) listener()
  }
}

/**
 * What the model is told of the turns before. A turn with no answer is left out whole, since roles must alternate; a
 * stopped answer stays as far as it came, as its reader has seen it. With text missing in it, it is nobody's answer.
 */
export function history(turns: readonly Turn[]): Message[] {
  return turns.flatMap(({ prompt, answer }) => {
    const { phase, text, gaps } = answer.current()
    if (gaps > 0 || text.trim() === '' || (phase !== 'done' && phase !== 'stopped')) return []
    return [
      { role: 'user' as const, content: prompt },
      { role: 'assistant' as const, content: text },
    ]
  })
}
