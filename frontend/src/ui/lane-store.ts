import type { LaneAction } from '../lane/reducer'
import { idle, type Lane, lane } from '../lane/reducer'
import { type ChatRequest, type Session, type Transport, TransportError } from '../transports/transport'

/**
 * One answer, outside React. Every event is reduced at once, with the time that the transport has stamped; whoever
 * watches hears of it once per animation frame, so that drawing never holds up receiving.
 */
export class LaneStore {
  #current: Lane = idle
  #shown: Lane = idle
  #frame: number | undefined
  #abort: AbortController | undefined
  readonly #listeners = new Set<() => void>()

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What the views draw: as of the last frame. */
  readonly shown = () => this.#shown

  /** What measurements read: as of now, whatever has been drawn. */
  current() {
    return this.#current
  }

  /** Streams one answer and gives the lane as it ended: an answer that fails is a lane, not an exception. */
  async run(transport: Transport, request: ChatRequest, session: Session): Promise<Lane> {
    this.stop()
    const abort = new AbortController()
    this.#abort = abort
    // A lane that was stopped and begun again must not hear of its former answer.
    const dispatch = (action: LaneAction) => {
      if (this.#abort === abort) this.#dispatch(action)
    }
    dispatch({ type: 'begin', at: performance.now(), streamId: request.streamId })
    try {
      const marks = {
        began: (at: number) => dispatch({ type: 'began', at }),
        connected: (at: number) => dispatch({ type: 'connected', at }),
      }
      for await (const received of transport(request, session, abort.signal, marks)) {
        dispatch({ type: 'received', received })
        // After a gap, say: nothing more is wanted, and leaving closes the connection.
        if (this.#abort === abort && this.#current.phase === 'failed') break
      }
      if (abort.signal.aborted) dispatch({ type: 'stopped', at: performance.now() })
    } catch (error) {
      const at = performance.now()
      if (abort.signal.aborted) dispatch({ type: 'stopped', at })
      else dispatch({ type: 'failed', at, error: asTransportError(error) })
    }
    return this.#current
  }

  stop() {
    const abort = this.#abort
    if (!abort || abort.signal.aborted) return
    abort.abort()
    this.#dispatch({ type: 'stopped', at: performance.now() })
  }

  clear() {
    this.stop()
    this.#abort = undefined
    this.#current = idle
    this.#schedule()
  }

  #dispatch(action: LaneAction) {
    const next = lane(this.#current, action)
    if (next === this.#current) return
    this.#current = next
    this.#schedule()
  }

  #schedule() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined
      this.#shown = this.#current
      for (const listener of this.#listeners) listener()
    })
  }
}

function asTransportError(error: unknown): TransportError {
  if (error instanceof TransportError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new TransportError({ phase: 'stream', code: 'protocol', message, retryable: true, cause: error })
}
