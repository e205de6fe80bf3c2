import type { LaneAction } from '../lane/reducer'
import { hasEnded, idle, type Lane, lane } from '../lane/reducer'
import {
  type ChatRequest,
  type Marks,
  type Received,
  type Session,
  type Transport,
  TransportError,
} from '../transports/transport'

/** How long the server may take to say that it has taken note of a stop, and how long the answer then to end. */
export const STOPPING = { told: 2_000, ended: 3_000 }

/** Between two tries to stop an answer that the server does not know of yet. */
const UNKNOWN_MS = 300

/** An answer under way, or the last one. */
interface Running {
  streamId: string
  transport: Transport
  session: Session
  abort: AbortController
  /** Resolves when nothing more will be heard of it. */
  over: Promise<void>
}

/**
 * One answer, outside React. Every event is reduced at once, with the time that the transport has stamped; whoever
 * watches hears of it once per animation frame, so that drawing never holds up receiving.
 */
export class LaneStore {
  #current: Lane = idle
  #shown: Lane = idle
  #frame: number | undefined
  #running: Running | undefined
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
  run(transport: Transport, request: ChatRequest, session: Session): Promise<Lane> {
    const { streamId } = request
    return this.#follow({ streamId, transport, session }, (signal, marks) =>
      transport.stream(request, session, signal, marks),
    )
  }

  /** The same for an answer that was asked for before the page was loaded: from its beginning, out of the log. */
  findAgain(transport: Transport, streamId: string, session: Session): Promise<Lane> {
    const begin = (signal: AbortSignal, marks: Marks) => transport.resume(streamId, undefined, session, signal, marks)
    return this.#follow({ streamId, transport, session }, begin, true)
  }

  /**
   * Asks the server to stop the answer and goes on to hear until it has: only that stops the model, and tells the end.
   * Called again, or when there is no answer to it, closes the connection.
   */
  stop() {
    const running = this.#running
    if (!running || hasEnded(this.#current)) return
    if (this.#current.stopping) {
      this.close()
      return
    }
    this.#dispatch({ type: 'stopping' })
    void this.#cancel(running)
  }

  /** At once, and whatever the server does then. */
  close() {
    const abort = this.#running?.abort
    if (!abort || abort.signal.aborted) return
    abort.abort()
    this.#dispatch({ type: 'stopped', at: performance.now() })
  }

  clear() {
    this.#leave()
    this.#running = undefined
    this.#current = idle
    this.#schedule()
  }

  async #follow(
    what: Pick<Running, 'streamId' | 'transport' | 'session'>,
    begin: (signal: AbortSignal, marks: Marks) => AsyncIterable<Received>,
    foundAgain = false,
  ): Promise<Lane> {
    this.#leave()
    const abort = new AbortController()
    let finish = () => {}
    const over = new Promise<void>(resolve => {
      finish = resolve
    })
    const running = { ...what, abort, over }
    this.#running = running
    // A lane that was stopped and begun again must not hear of its former answer.
    const dispatch = (action: LaneAction) => {
      if (this.#running === running) this.#dispatch(action)
    }
    dispatch({ type: 'begin', at: performance.now(), streamId: what.streamId, foundAgain })
    try {
      const marks: Marks = {
        began: at => dispatch({ type: 'began', at }),
        connected: at => dispatch({ type: 'connected', at }),
        dropped: at => dispatch({ type: 'dropped', at }),
        resumed: (at, after) => dispatch({ type: 'resumed', at, after }),
      }
      for await (const received of begin(abort.signal, marks)) {
        dispatch({ type: 'received', received })
        // After a gap, say: nothing more is wanted, and leaving closes the connection.
        if (this.#running === running && this.#current.phase === 'failed') break
      }
      if (abort.signal.aborted) dispatch({ type: 'stopped', at: performance.now() })
    } catch (error) {
      const at = performance.now()
      if (abort.signal.aborted) dispatch({ type: 'stopped', at })
      else dispatch({ type: 'failed', at, error: asTransportError(error) })
    } finally {
      finish()
    }
    return this.#current
  }

  /** Nobody reads this answer any more: its end is not waited for. */
  #leave() {
    const running = this.#running
    if (!running || hasEnded(this.#current)) return
    if (!this.#current.stopping) void running.transport.cancel(running.streamId, running.session).catch(() => undefined)
    this.close()
  }

  async #cancel(running: Running) {
    if (await within(STOPPING.told, this.#tell(running))) await within(STOPPING.ended, running.over)
    if (this.#isUnderWay(running)) this.close()
  }

  /** True when the server has taken note, and the answer is about to end. */
  async #tell(running: Running): Promise<boolean> {
    while (this.#isUnderWay(running)) {
      try {
        await running.transport.cancel(running.streamId, running.session)
        return true
      } catch (error) {
        if (!this.#mayPass(error)) return false
        await new Promise(resolve => setTimeout(resolve, UNKNOWN_MS))
      }
    }
    return false
  }

  /** The request may still be on its way, and the network may come back. */
  #mayPass(error: unknown): boolean {
    if (!(error instanceof TransportError)) return false
    const { code, phase } = error
    return code === 'network' || (code === 'not_found' && phase === 'request' && this.#current.acceptedAt === undefined)
  }

  #isUnderWay(running: Running): boolean {
    return this.#running === running && !hasEnded(this.#current)
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

/** Undefined when it takes longer. */
async function within<T>(limit: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<undefined>(resolve => {
    timer = setTimeout(() => resolve(undefined), limit)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

function asTransportError(error: unknown): TransportError {
  if (error instanceof TransportError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new TransportError({ phase: 'stream', code: 'protocol', message, retryable: true, cause: error })
}
