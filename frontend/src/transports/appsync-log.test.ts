import './testing/web-socket-global'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { StreamEvent } from '../contract/event'
import type { Logged } from './appsync-graphql'
import { LogReader, SILENCE } from './appsync-log'
import { InOrder, WINDOW } from './in-order'
import { appsyncServer, type Behaviour, cancelled, type Json, refused, started } from './testing/appsync-server'
import { collect, STREAM_ID, session } from './testing/collect'
import type { SocketServer } from './testing/servers'
import { TransportError } from './transport'

const start: Json = { type: 'start', stream_id: STREAM_ID, seq: 0, model: 'm' }
const delta = (seq: number): Json => ({ type: 'delta', stream_id: STREAM_ID, seq, text: `${seq} ` })
const done = (seq: number, stop_reason = 'end_turn'): Json => ({
  type: 'done',
  stream_id: STREAM_ID,
  seq,
  stop_reason,
  timing: { total_ms: 9 },
})
/** Longer than the window, so that a gap is noticed at once. */
const LENGTH = WINDOW.events + 4
const all = [start, ...Array.from({ length: LENGTH }, (_, index) => delta(index + 1)), done(LENGTH + 1)]
const behind = (after = -1) => all.filter(({ seq }) => Number(seq) > after)

describe('over the wire', () => {
  let server: SocketServer | undefined
  afterEach(() => server?.close())

  async function serve(behaviour: Behaviour) {
    const served = await appsyncServer(behaviour)
    server = served.server
    return served
  }
  const publishing = (events: Json[]) => (_: Json, publish: (event: Json) => void) => {
    for (const event of events) publish(event)
    return started
  }

  test('what AppSync has lost is read in the log, and what comes twice by that is no repetition', async () => {
    const lost = new Set([3, 4])
    const { transport, steps } = await serve({
      mutation: publishing(all.filter(({ seq }) => !lost.has(Number(seq)) && seq !== LENGTH + 1)),
      log: (after, publish) => {
        // Late, but not lost after all.
        publish(delta(4))
        setImmediate(() => publish(done(LENGTH + 1)))
        return { events: behind(after).slice(0, -1) }
      },
    })
    const { events, failure, resumedAfter } = await collect(transport)
    expect([failure, events]).toEqual([undefined, all])
    expect(resumedAfter).toEqual([2])
    expect(steps.filter(step => step.startsWith('log'))[0]).toBe('log behind 2')
  })

  test.each([
    ['is switched off', refused('not_found')],
    ['is not known to the schema', [200, { errors: [{ errorType: 'ValidationError' }] }] as [number, unknown]],
  ])('what is lost stays lost where the log %s', async (_, answer) => {
    const lossy = all.filter(({ seq }) => seq !== 3)
    const { transport, steps } = await serve({ mutation: publishing(lossy), log: () => answer })
    const { events, resumedAfter } = await collect(transport)
    expect(events).toEqual(lossy)
    expect(resumedAfter).toEqual([])
    expect(steps.filter(step => step.startsWith('log'))).toHaveLength(1)
  })

  test('an answer is taken up behind an event: subscribed first, then read, then live', async () => {
    const { transport, steps, tokens } = await serve({
      log: (after, publish) => {
        if (after === 9) for (const event of behind(14)) publish(event)
        // Two pages, and a third that is empty.
        return {
          events: behind(after)
            .slice(0, 3)
            .filter(({ seq }) => Number(seq) <= 14),
        }
      },
    })
    const { events, failure, resumedAfter, connectedAt } = await collect(transport, { after: 9 })
    expect([failure, events]).toEqual([undefined, behind(9)])
    expect(resumedAfter).toEqual([])
    expect(connectedAt).toHaveLength(1)
    expect(steps.slice(0, 4)).toEqual(['connection_init', 'start', 'log behind 9', 'log behind 12'])
    expect(new Set(tokens)).toEqual(new Set([session.accessToken]))
  })

  test('an answer that has ended is read to its end from the beginning', async () => {
    const { transport } = await serve({ log: after => ({ events: behind(after), ended: true }) })
    expect((await collect(transport, { after: 'the beginning' })).events).toEqual(all)
  })

  test('an answer that is not found is refused with that code', async () => {
    const { transport } = await serve({})
    const { failure } = await collect(transport, { after: 9 })
    expect(failure).toMatchObject({ phase: 'request', code: 'not_found' })
    await vi.waitFor(() => expect(server?.connections()).toBe(0))
  })

  test('the end of an answer that was stopped in the queue is in the log alone', async () => {
    let isStopped = false
    const { transport } = await serve({
      log: () => ({ events: isStopped ? [start, done(1, 'cancelled')] : [], ended: isStopped }),
      cancel: () => {
        isStopped = true
        return cancelled
      },
    })
    const collecting = collect(transport)
    await vi.waitFor(() => expect(server?.connections()).toBe(1))
    await vi.waitFor(() => transport.cancel(STREAM_ID, session))
    const toldAt = performance.now()
    const { events } = await collecting
    expect(performance.now() - toldAt, 'nobody waits for the next look').toBeLessThan(SILENCE.unheard - 250)
    expect(events.at(-1)).toMatchObject({ type: 'done', stop_reason: 'cancelled' })
  })
})

describe('when to look', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  /** A log that has what a test puts there. */
  function look() {
    const asked: (number | undefined)[] = []
    const handed: (number | undefined)[] = []
    const found: (number | undefined)[] = []
    const log: { answer: () => Promise<Logged> } = { answer: async () => ({ events: [], ended: false }) }
    const inOrder = new InOrder(({ event }) => handed.push('seq' in event ? event.seq : undefined), {
      onMissing: () => reader.missing(),
    })
    const ask = (after: number | undefined) => {
      asked.push(after)
      return log.answer()
    }
    const reader = new LogReader(ask, inOrder, (_, after) => found.push(after))
    const arrive = (event: Json) => {
      inOrder.push({ at: 0, bytes: 1, event: event as StreamEvent })
      reader.heard(event as StreamEvent)
    }
    const logged = (...events: Json[]) => {
      log.answer = async () => ({
        events: events.map(event => ({ event: event as StreamEvent, bytes: 1 })),
        ended: true,
      })
    }
    const fail = (retryable: boolean) => {
      const code = retryable ? 'internal' : 'not_found'
      log.answer = () => Promise.reject(new TransportError({ phase: 'request', code, message: '', retryable }))
    }
    return { reader, inOrder, asked, handed, found, logged, fail, arrive }
  }
  const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds)

  test('never before the request was acknowledged', async () => {
    const { asked } = look()
    await pass(60_000)
    expect(asked).toEqual([])
  })

  test('when nothing is heard for 2 s, again every 2 s, and from the first event on after 5 s', async () => {
    const { reader, asked, arrive } = look()
    reader.listen()
    await pass(SILENCE.unheard - 1)
    expect(asked).toHaveLength(0)
    await pass(1)
    expect(asked).toHaveLength(1)
    await pass(2 * SILENCE.unheard)
    expect(asked).toHaveLength(3)
    arrive(start)
    await pass(SILENCE.between - 1)
    arrive({ type: 'ping' })
    await pass(SILENCE.between - 1)
    expect(asked).toHaveLength(3)
    await pass(1)
    expect(asked).toEqual([undefined, undefined, undefined, 0])
  })

  test('what is in the log and does not come by itself is found', async () => {
    const { reader, handed, found, logged, arrive } = look()
    arrive(start)
    reader.listen()
    logged(delta(1), done(2))
    await pass(SILENCE.between)
    expect(handed).toEqual([0])
    await pass(250)
    expect([handed, found]).toEqual([[0, 1, 2], [0]])
  })

  test('what is on its way is not', async () => {
    const { reader, handed, found, logged, arrive } = look()
    reader.listen()
    logged(start)
    await pass(SILENCE.unheard + 200)
    arrive(start)
    await pass(50)
    expect([handed, found]).toEqual([[0], []])
  })

  test('for a lost event three times, since the log may be behind, and then it is lost', async () => {
    const { reader, asked, handed, found, arrive } = look()
    for (const event of [start, delta(2)]) arrive(event)
    reader.listen()
    await pass(WINDOW.ms)
    expect(asked).toEqual([0])
    await pass(1_999)
    for (let seq = 3; seq < 40; seq++) arrive(delta(seq))
    expect([asked, handed]).toEqual([[0, 0], [0]])
    await pass(1)
    expect([asked, handed.slice(0, 3), found]).toEqual([[0, 0, 0], [0, 2, 3], []])
  })

  test('for a lost event again when the log could not be read, but not where it is of no use', async () => {
    for (const retryable of [true, false]) {
      const { asked, handed, fail, arrive } = look()
      fail(retryable)
      for (const event of [start, delta(2)]) arrive(event)
      await pass(WINDOW.ms)
      expect(handed).toEqual(retryable ? [0] : [0, 2])
      await pass(60_000)
      expect([asked.length, handed]).toEqual([retryable ? 3 : 1, [0, 2]])
    }
  })

  test('for a second lost event at once where it is of no use', async () => {
    const { asked, handed, fail, arrive } = look()
    fail(false)
    for (const event of [start, delta(2)]) arrive(event)
    await pass(WINDOW.ms)
    arrive(delta(4))
    await pass(WINDOW.ms)
    expect([asked.length, handed]).toEqual([1, [0, 2, 4]])
  })

  test('once more after catching up, since the log is behind: what was published in between is in neither', async () => {
    const { reader, handed, found, logged, arrive } = look()
    logged(start, delta(1))
    await reader.catchUp()
    reader.listen()
    logged(delta(2), delta(3))
    arrive(delta(4))
    await pass(500)
    expect(handed).toEqual([0, 1])
    await pass(100)
    // That is one resumption, not two.
    expect([handed, found]).toEqual([[0, 1, 2, 3, 4], []])
    logged(delta(5), done(6))
    arrive(delta(7))
    await pass(WINDOW.ms)
    expect([handed, found]).toEqual([[0, 1, 2, 3, 4, 5, 6, 7], [4]])
  })

  test('in a hurry after a stop', async () => {
    const { reader, asked, arrive } = look()
    reader.listen()
    arrive(start)
    reader.hurry()
    await pass(SILENCE.stopped)
    expect(asked).toHaveLength(1)
  })

  test('not after the end', async () => {
    const { reader, inOrder, arrive } = look()
    reader.listen()
    for (const event of [start, delta(2)]) arrive(event)
    reader.close()
    inOrder.close()
    expect(vi.getTimerCount()).toBe(0)
  })
})
