import { useCallback, useRef, useState, useSyncExternalStore } from 'react'
import type { Architecture } from '../../transports/transport'
import { DESCRIPTIONS } from '../architectures'
import { STARTERS } from '../compare/starters'
import { Segments } from '../Segments'
import { useFollow } from '../useFollow'
import { Composer } from './Composer'
import type { Conversation } from './conversation'
import { TurnView } from './TurnView'

interface Props {
  conversation: Conversation
  architectures: readonly Architecture[]
  onSignIn: () => void
}

export function Chat({ conversation, architectures, onSignIn }: Props) {
  const { turns, running, stopping, problem } = useSyncExternalStore(conversation.subscribe, conversation.state)
  const [architecture, setArchitecture] = useState<Architecture>(architectures[0] ?? 'function-url')
  const region = useRef<HTMLElement>(null)
  const { atEnd, onScroll, jumpToEnd, follow } = useFollow(region, turns)

  const send = (prompt: string) => {
    jumpToEnd()
    void conversation.send(prompt, architecture)
  }
  const regenerate = useCallback(() => void conversation.regenerate(architecture), [conversation, architecture])

  return (
    <div className="flex min-h-0 grow flex-col">
      <h1 className="sr-only">Chat</h1>
      <div className="mx-auto flex w-full max-w-3xl items-center gap-x-1 pb-3 sm:gap-x-4">
        <Segments
          label="Architecture"
          options={architectures.map(value => ({ value, label: value }))}
          value={architecture}
          onChange={setArchitecture}
          disabled={running}
        />
        <p className="label hidden grow sm:block">{DESCRIPTIONS[architecture].is}</p>
        <button
          type="button"
          className="button-quiet ml-auto px-1 sm:px-2"
          disabled={turns.length === 0}
          onClick={() => conversation.clear()}
        >
          New chat
        </button>
      </div>
      <div className="relative flex min-h-0 grow flex-col">
        <section
          ref={region}
          onScroll={onScroll}
          aria-label="Conversation"
          // A region that scrolls must be reachable by keyboard.
          // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
          tabIndex={0}
          className="grow overflow-y-auto overscroll-contain border-y border-line py-6 focus-visible:-outline-offset-2"
        >
          <div className="mx-auto flex max-w-3xl flex-col gap-8 px-1">
            {turns.length === 0 && <Empty onPick={send} />}
            {turns.map((turn, index) => (
              <TurnView
                key={turn.id}
                turn={turn}
                onRegenerate={!running && index === turns.length - 1 ? regenerate : undefined}
                onSignIn={onSignIn}
                onGrown={follow}
              />
            ))}
            {problem && (
              <p role="alert" className="border-l-2 border-bad pl-3 text-bad">
                {problem}
              </p>
            )}
          </div>
        </section>
        {!atEnd && (
          <button
            type="button"
            className="button absolute bottom-3 left-1/2 -translate-x-1/2 shadow-md"
            onClick={jumpToEnd}
          >
            Jump to latest
          </button>
        )}
      </div>
      <div className="mx-auto w-full max-w-3xl pt-3">
        <Composer running={running} stopping={stopping ?? false} onSend={send} onStop={() => conversation.stop()} />
      </div>
    </div>
  )
}

function Empty({ onPick }: { onPick: (prompt: string) => void }) {
  return (
    <div className="py-8">
      <h2 className="text-lg font-semibold">One architecture, many turns</h2>
      <p className="mt-1 text-muted">
        Each question is sent with the conversation so far. The architecture can be changed between two turns.
      </p>
      <ul className="mt-5 divide-y divide-line border-y border-line">
        {STARTERS.map(({ name, prompt }) => (
          <li key={name}>
            <button type="button" className="w-full py-2.5 text-left hover:text-accent" onClick={() => onPick(prompt)}>
              {prompt}
            </button>
          </li>
        ))}
      </ul>
    </div>
  )
}
