import { ARCHITECTURES, type Architecture } from '../transports/transport'

/** An answer under way, as far as it takes to find it again. Never what of it has come. */
export type RunningStream = {
  streamId: string
  architecture: Architecture
  prompt: string
  /** Milliseconds since the Unix epoch. */
  startedAt: number
} & ({ view: 'compare'; maxTokens: number } | { view: 'chat' })

type In<View> = Extract<RunningStream, { view: View }>

const KEY = 'tristream.running'

/** No function runs so long: what is older has ended, and was forgotten by accident. */
const MAX_AGE_MS = 60 * 60_000

/**
 * What is under way, beyond a reload of the page. In the storage of the tab, as the session is: prompts are the user's
 * own, and nobody else may find them there.
 */
export class RunningStreams {
  readonly #storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
  readonly #user: () => string | undefined

  /** `user` is who is signed in. */
  constructor(storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>, user: () => string | undefined) {
    this.#storage = storage
    this.#user = user
  }

  /** Those of the user who is signed in; what is somebody else's is forgotten. */
  of<View extends RunningStream['view']>(view: View): In<View>[] {
    return this.#read().filter((stream): stream is In<View> => stream.view === view)
  }

  remember(stream: RunningStream) {
    this.#write([...this.#read(), stream])
  }

  forget(streamId: string) {
    const streams = this.#read()
    if (streams.some(stream => stream.streamId === streamId)) {
      this.#write(streams.filter(stream => stream.streamId !== streamId))
    }
  }

  forgetAll(view: RunningStream['view']) {
    for (const { streamId } of this.of(view)) this.forget(streamId)
  }

  clear() {
    this.#storage.removeItem(KEY)
  }

  #read(): RunningStream[] {
    const user = this.#user()
    const { user: owner, streams } = parse(this.#storage.getItem(KEY))
    if (user !== undefined && owner !== undefined && owner !== user) this.clear()
    if (user === undefined || owner !== user) return []
    return streams.filter(({ startedAt }) => Date.now() - startedAt < MAX_AGE_MS)
  }

  #write(streams: RunningStream[]) {
    const user = this.#user()
    if (user === undefined || streams.length === 0) this.clear()
    else this.#storage.setItem(KEY, JSON.stringify({ user, streams }))
  }
}

interface Stored {
  user?: unknown
  streams: RunningStream[]
}

/** Whatever a former version, or a curious user, has left there. */
function parse(text: string | null): Stored {
  try {
    const found: unknown = JSON.parse(text ?? '{}')
    if (typeof found !== 'object' || found === null) return { streams: [] }
    const { user, streams } = found as Record<string, unknown>
    return { user, streams: Array.isArray(streams) ? streams.filter(isRunningStream) : [] }
  } catch {
    return { streams: [] }
  }
}

function isRunningStream(value: unknown): value is RunningStream {
  if (typeof value !== 'object' || value === null) return false
  const { streamId, architecture, view, prompt, maxTokens, startedAt } = value as Record<string, unknown>
  return (
    typeof streamId === 'string' &&
    ARCHITECTURES.some(known => known === architecture) &&
    (view === 'chat' || (view === 'compare' && typeof maxTokens === 'number')) &&
    typeof prompt === 'string' &&
    typeof startedAt === 'number'
  )
}
