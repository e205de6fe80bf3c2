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
  #seq = 0
  #queue: { item: StreamEvent | TransportError; late: number }[] = []
  #wake = () => {}

  constructor(request: ChatRequest, session: Session, signal: AbortSignal, marks?: Marks) {
    this.request = request
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

/** A transport whose answers are fed by hand, the latest one last. */
export function fakeTransport(): { transport: Transport; answers: FakeAnswer[] } {
  const answers: FakeAnswer[] = []
  return {
    answers,
    transport: (request, session, signal, marks) => {
      const answer = new FakeAnswer(request, session, signal, marks)
      answers.push(answer)
      return answer.received()
    },
  }
}
