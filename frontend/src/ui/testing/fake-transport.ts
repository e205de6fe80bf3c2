import type { StreamEvent } from '../../contract/event'
import type { ChatRequest, Marks, Session, Transport } from '../../transports/transport'
import { TransportError } from '../../transports/transport'

type Without<Event> = Event extends { stream_id?: string } ? Omit<Event, 'stream_id' | 'seq'> : never
type Piece = Without<StreamEvent>

/** One answer that a test feeds by hand. */
export class FakeAnswer {
  readonly request: ChatRequest
  readonly session: Session
  readonly signal: AbortSignal
  readonly marks: Marks | undefined
  #seq: number
  #queue: { item: StreamEvent | TransportError; late: number }[] = []
  #wake = () => {}

  /** `after` is that of a resumption. */
  constructor(request: ChatRequest, session: Session, signal: AbortSignal, marks?: Marks, after = -1) {
    this.request = request
    this.#seq = after + 1
    this.session = session
    this.signal = signal
    this.marks = marks
    signal.addEventListener('abort', () => this.#wake())
  }

  event(piece: Piece, late = 0) {
    const numbered = piece.type === 'ping' ? {} : { seq: this.#seq++ }
    this.#put({ ...piece, ...numbered, stream_id: this.request.streamId } as StreamEvent, late)
  }

  start() {
    this.marks?.connected?.(performance.now())
    this.event({ type: 'start', model: 'fake-model' })
  }

  /** `late` makes it arrive so many milliseconds later than now, for the clock alone. */
  text(text: string, late = 0) {
    this.event({ type: 'delta', text }, late)
  }

  /** An event that does not arrive. */
  lose() {
    this.#seq++
  }

  done(output_tokens = 4) {
    this.event({
      type: 'done',
      stop_reason: 'end_turn',
      usage: { input_tokens: 3, output_tokens },
      timing: { total_ms: 9 },
    })
  }

  /** As the server ends what it was told to stop. */
  cancelled() {
    if (this.#seq === 0) this.start()
    this.event({ type: 'done', stop_reason: 'cancelled', timing: { total_ms: 9 } })
  }

  whole(text: string) {
    this.start()
    this.text(text)
    this.done()
  }

  fail(error: ConstructorParameters<typeof TransportError>[0]) {
    this.#put(new TransportError(error))
  }

  async *received() {
    for (;;) {
      if (this.signal.aborted) return
      const next = this.#queue.shift()
      if (!next) {
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
        continue
      }
      const { item, late } = next
      if (item instanceof TransportError) throw item
      yield { at: performance.now() + late, bytes: JSON.stringify(item).length, event: item }
      if (item.type === 'done' || item.type === 'error') return
    }
  }

  #put(item: StreamEvent | TransportError, late = 0) {
    this.#queue.push({ item, late })
    this.#wake()
  }
}

export interface FakeTransport {
  transport: Transport
  answers: FakeAnswer[]
  /** Behind which event each resumption was asked for. */
  resumptions: (number | undefined)[]
  /** The streams that were to be stopped, and with whose token. */
  cancelled: { streamId: string; session: Session }[]
  /** What becomes of a wish to stop; without it the answer ends as the contract says. */
  onCancel?: (streamId: string) => Promise<void>
}

/** A transport whose answers are fed by hand, the latest one last. */
export function fakeTransport(): FakeTransport {
  const answers: FakeAnswer[] = []
  const begin = (answer: FakeAnswer) => {
    answers.push(answer)
    return answer.received()
  }
  const fake: FakeTransport = {
    answers,
    resumptions: [],
    cancelled: [],
    transport: {
      stream: (request, session, signal, marks) => begin(new FakeAnswer(request, session, signal, marks)),
      resume(streamId, after, session, signal, marks) {
        fake.resumptions.push(after)
        return begin(new FakeAnswer({ streamId, messages: [] }, session, signal, marks, after))
      },
      async cancel(streamId, session) {
        fake.cancelled.push({ streamId, session })
        if (fake.onCancel) await fake.onCancel(streamId)
        else answers.findLast(({ request }) => request.streamId === streamId)?.cancelled()
      },
    },
  }
  return fake
}
