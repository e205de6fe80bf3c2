import { useEffect, useState, useSyncExternalStore } from 'react'
import type { Account } from '../auth/account'
import { Chat } from './chat/Chat'
import type { Conversation } from './chat/conversation'
import { Compare } from './compare/Compare'
import type { Race } from './compare/race'
import { Header, VIEWS, type View } from './Header'
import { LiveRegion } from './LiveRegion'
import { SharedResult } from './SharedResult'
import { SignIn, type TestUser } from './SignIn'
import { panelId, tabId } from './Tabs'

interface Props {
  account: Account
  race: Race
  conversation: Conversation
  testUser?: TestUser | undefined
}

export function App({ account, race, conversation, testUser }: Props) {
  const state = useSyncExternalStore(account.subscribe, account.state)
  useEffect(() => void account.restore(), [account])

  return (
    <>
      <LiveRegion />
      <SharedResult />
      {state.phase === 'restoring' && <p className="p-6 text-muted">Loading.</p>}
      {(state.phase === 'signed-out' || state.phase === 'new-password') && (
        <SignIn account={account} state={state} testUser={testUser} />
      )}
      {state.phase === 'signed-in' && (
        <SignedIn account={account} username={state.username} race={race} conversation={conversation} />
      )}
    </>
  )
}

/** After a reload: whoever waits for an answer wants to see it. */
function isOnlyChatRunning(race: Race, conversation: Conversation): boolean {
  return conversation.state().running && race.state().phase === 'idle'
}

interface SignedInProps extends Pick<Props, 'account' | 'race' | 'conversation'> {
  username: string
}

function SignedIn({ account, username, race, conversation }: SignedInProps) {
  const [view, setView] = useState<View>(() => (isOnlyChatRunning(race, conversation) ? 'chat' : 'compare'))
  const expire = () => void account.expire()

  return (
    // The chat fills the window and scrolls inside; the comparison is a page.
    <div className={`flex flex-col ${view === 'chat' ? 'h-dvh' : 'min-h-dvh'}`}>
      <Header account={account} username={username} view={view} onView={setView} />
      <main className="mx-auto flex min-h-0 w-full max-w-[1440px] grow flex-col px-4 py-4 lg:px-6">
        {VIEWS.map(id => (
          <div
            key={id}
            role="tabpanel"
            id={panelId(id)}
            aria-labelledby={tabId(id)}
            className={id === view ? 'flex min-h-0 grow flex-col' : 'hidden'}
          >
            {id === view && id === 'compare' && <Compare race={race} onSignIn={expire} />}
            {id === view && id === 'chat' && (
              <Chat conversation={conversation} architectures={race.architectures} onSignIn={expire} />
            )}
          </div>
        ))}
      </main>
    </div>
  )
}
