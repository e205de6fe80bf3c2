/** appsync: subscribe, wait for `start_ack`, and only then ask: AppSync replays nothing. */

import { cancelStream, eventOf, SUBSCRIPTION, startStream, streamEvents } from './appsync-graphql'
import { LogReader } from './appsync-log'
import { AppSyncRealtime, type Subscriber } from './appsync-realtime'
import { Arrivals, type Patience, patienceBehind } from './arrivals'
import { InOrder } from './in-order'
import { type Marks, type Session, type Transport, TransportError } from './transport'

/** Longer than on the others until `start`: the request may wait a minute in the queue first. */
const QUEUED: Patience = { untilStart: 150_000, between: 45_000 }

/** An answer to listen to. */
interface Listening {
  streamId: string
  after: number | undefined
  /** Whether the server has been asked for it before. */
  asked: boolean
  /** What to do when the subscription stands. The first events may well overtake its answer, so nobody waits for it. */
  begin: (log: LogReader, signal: AbortSignal) => Promise<void>
}

/** An answer under way here. */
interface Running {
  /** Absent until the subscription stands. */
  log?: LogReader
  /** The server has been asked for it. */
  asked: boolean
}

export function appsync(graphqlUrl: string, realtimeUrl: string, patience: Patience = QUEUED): Transport {
  const urls = { graphql: graphqlUrl, realtime: realtimeUrl }
  const all = new Map<string, Running>()

  async function* listen(
    { streamId, after, asked, begin }: Listening,
    session: Session,
    signal: AbortSignal,
    marks: Marks | undefined,
  ) {
    const running: Running = { asked }
    all.set(streamId, running)
    let realtime: AppSyncRealtime | undefined
    const arrivals = new Arrivals(signal, patienceBehind(patience, after))
    // Also when the iteration is left early, which the caller's signal says nothing about.
    const asking = new AbortController()
    const abort = () => asking.abort()
    signal.addEventListener('abort', abort)
    const inOrder = new InOrder(received => arrivals.push(received), {
      next: after === undefined ? 0 : after + 1,
      onMissing: () => log.missing(),
    })
    const log = new LogReader(
      after => streamEvents(graphqlUrl, streamId, after, session, asking.signal),
      inOrder,
      (at, after) => marks?.resumed?.(at, after),
    )
    const subscriber: Subscriber = {
      data(payload, bytes, at) {
        try {
          const event = eventOf(payload)
          inOrder.push({ at, bytes, event })
          log.heard(event)
        } catch (error) {
          arrivals.fail(error)
        }
      },
      ended(failure) {
        // What waits for an event that will not come any more is still to be told.
        inOrder.flush()
        if (running.log) arrivals.close(failure.message, failure.code)
        else arrivals.fail(failure)
      },
    }
    const open = async () => {
      realtime = await AppSyncRealtime.open(urls, session.accessToken, signal, subscriber)
      await realtime.subscribe(SUBSCRIPTION, { sessionId: streamId }, signal)
      Object.assign(running, { log, asked: true })
      marks?.connected?.(performance.now())
      begin(log, asking.signal).catch(failure => arrivals.fail(failure))
    }
    try {
      await open().catch(failure => arrivals.fail(failure))
      yield* arrivals
    } finally {
      signal.removeEventListener('abort', abort)
      abort()
      log.close()
      inOrder.close()
      realtime?.close()
      if (all.get(streamId) === running) all.delete(streamId)
    }
  }

  return {
    stream(request, session, signal, marks) {
      const begin = async (log: LogReader, signal: AbortSignal) => {
        await startStream(graphqlUrl, request, session, signal)
        log.listen()
      }
      return listen({ streamId: request.streamId, after: undefined, asked: false, begin }, session, signal, marks)
    },
    resume(streamId, after, session, signal, marks) {
      const begin = async (log: LogReader) => {
        await log.catchUp()
        log.listen()
      }
      return listen({ streamId, after, asked: true, begin }, session, signal, marks)
    },
    async cancel(streamId, session) {
      if (all.get(streamId)?.asked === false) {
        const message = 'The answer has not been asked for yet.'
        throw new TransportError({ phase: 'connect', code: 'not_found', message, retryable: false })
      }
      await cancelStream(graphqlUrl, streamId, session)
      all.get(streamId)?.log?.hurry()
    },
  }
}
