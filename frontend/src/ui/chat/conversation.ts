import type { Architecture, Message, Session, Transport } from '../../transports/transport'
import { LaneStore } from '../lane-store'

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
  /** Why an answer could not even be asked for. */
  problem?: string
}

/** The contract allows 50 messages that begin and end with the user's. */
const MOST_MESSAGES = 49

/** A chat of many turns, outside React. */
export class Conversation {
  readonly #transports: Partial<Record<Architecture, Transport>>
  readonly #session: () => Promise<Session>
  readonly #listeners = new Set<() => void>()
  #state: ConversationState = { turns: [], running: false }

  constructor(transports: Partial<Record<Architecture, Transport>>, session: () => Promise<Session>) {
    this.#transports = transports
    this.#session = session
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

  stop() {
    this.#state.turns.at(-1)?.answer.stop()
  }

  clear() {
    this.stop()
    this.#become({ turns: [], running: false })
  }

  async #answer(turn: Turn, before: readonly Turn[]) {
    const transport = this.#transports[turn.architecture]
    if (!transport) return
    const messages = [...history(before), { role: 'user' as const, content: turn.prompt }]
    this.#become({ turns: [...before, turn], running: true })
    let problem: string | undefined
    try {
      const session = await this.#session()
      const request = { streamId: crypto.randomUUID(), messages: messages.slice(-MOST_MESSAGES) }
      // Cleared while it waited for the session: nobody reads this answer.
      if (this.#state.turns.at(-1) === turn) await turn.answer.run(transport, request, session)
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error)
    }
    if (this.#state.turns.at(-1) === turn) {
      this.#become({ turns: this.#state.turns, running: false, ...(problem && { problem }) })
    }
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
