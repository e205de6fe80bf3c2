/** appsync: subscribe, wait for `start_ack`, and only then ask: AppSync replays nothing. */

import { eventOf, SUBSCRIPTION, startStream } from './appsync-graphql'
import { AppSyncRealtime, type Subscriber } from './appsync-realtime'
import { Arrivals, type Patience } from './arrivals'
import { InOrder } from './in-order'
import type { Transport } from './transport'

/** Longer than on the others until `start`: the request may wait a minute in the queue first. */
const QUEUED: Patience = { untilStart: 150_000, between: 45_000 }

export function appsync(graphqlUrl: string, realtimeUrl: string, patience: Patience = QUEUED): Transport {
  return async function* (request, session, signal, marks) {
    let realtime: AppSyncRealtime | undefined
    let subscribed = false
    const arrivals = new Arrivals(signal, patience)
    const inOrder = new InOrder(received => arrivals.push(received))
    const subscriber: Subscriber = {
      data(payload, bytes, at) {
        try {
          inOrder.push({ at, bytes, event: eventOf(payload) })
        } catch (error) {
          arrivals.fail(error)
        }
      },
      ended(failure) {
        // What waits for an event that will not come any more is still to be told.
        inOrder.flush()
        if (subscribed) arrivals.close(failure.message, failure.code)
        else arrivals.fail(failure)
      },
    }
    // Also when the iteration is left early, which the caller's signal says nothing about.
    const mutation = new AbortController()
    const abort = () => mutation.abort()
    signal.addEventListener('abort', abort)
    const begin = async () => {
      const urls = { graphql: graphqlUrl, realtime: realtimeUrl }
      realtime = await AppSyncRealtime.open(urls, session.accessToken, signal, subscriber)
      await realtime.subscribe(SUBSCRIPTION, { sessionId: request.streamId }, signal)
      subscribed = true
      marks?.connected?.(performance.now())
      // The first events may well overtake its answer, so nobody waits for it.
      startStream(graphqlUrl, request, session, mutation.signal).catch(failure => arrivals.fail(failure))
    }
    try {
      await begin().catch(failure => arrivals.fail(failure))
      yield* arrivals
    } finally {
      signal.removeEventListener('abort', abort)
      abort()
      inOrder.close()
      realtime?.close()
    }
  }
}
