import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import './index.css'
import { Account } from './auth/account'
import { amplify } from './auth/amplify'
import { onOtherUser } from './auth/on-other-user'
import { readSettings, type Settings } from './settings'
import { resuming } from './transports/resuming'
import type { Architecture, Transport } from './transports/transport'
import { App } from './ui/App'
import { Conversation } from './ui/chat/conversation'
import { Race } from './ui/compare/race'
import { RunningStreams } from './ui/running-streams'
import { applyTheme } from './ui/theme'
import { Unusable } from './ui/Unusable'
import { remote } from './worker/remote'

applyTheme()
const root = document.getElementById('root')
if (root) createRoot(root).render(<StrictMode>{page()}</StrictMode>)

function page() {
  let settings: Settings
  try {
    settings = readSettings(import.meta.env)
  } catch (error) {
    return <Unusable reason={error instanceof Error ? error.message : String(error)} />
  }
  const account = new Account(amplify(settings))
  const session = () => account.session()
  const worker = new Worker(new URL('./worker/streams.worker.ts', import.meta.url), { type: 'module' })
  const { comparing, conversing, release } = remote(worker, settings)
  const lasting = (transports: Partial<Record<Architecture, Transport>>) =>
    Object.fromEntries(Object.entries(transports).map(([name, transport]) => [name, resuming(transport, session)]))
  const running = new RunningStreams(sessionStorage, () => usernameOf(account))
  const race = new Race(lasting(comparing), session, running)
  const conversation = new Conversation(lasting(conversing), session, running)
  onOtherUser(account, () => {
    race.clear()
    conversation.clear()
    running.clear()
    release()
  })
  account.subscribe(() => {
    if (account.state().phase !== 'signed-in') return
    void race.findAgain()
    void conversation.findAgain()
  })
  return <App account={account} race={race} conversation={conversation} testUser={testUser(settings)} />
}

function usernameOf(account: Account): string | undefined {
  const state = account.state()
  return state.phase === 'signed-in' ? state.username : undefined
}

/** The user of the stand-ins on this machine. The condition is a constant in a build, which leaves nothing of it. */
function testUser({ userPoolEndpoint }: Settings) {
  if (!import.meta.env.DEV || !userPoolEndpoint) return undefined
  const { hostname } = new URL(userPoolEndpoint)
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) return undefined
  return { username: 'testuser', password: 'TestPassword123!' }
}
