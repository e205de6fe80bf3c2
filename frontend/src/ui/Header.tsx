import type { Account } from '../auth/account'
import { Tabs } from './Tabs'
import { THEMES, useTheme } from './theme'

export const VIEWS = ['compare', 'chat'] as const
export type View = (typeof VIEWS)[number]
const NAMES: Record<View, string> = { compare: 'Compare', chat: 'Chat' }

export function Wordmark() {
  return (
    <span className="flex items-center gap-2 font-mono text-base font-semibold tracking-tight">
      <svg width="18" height="14" viewBox="0 0 18 14" aria-hidden="true">
        <rect className="fill-function-url" x="0" y="0" width="18" height="3" rx="1" />
        <rect className="fill-websocket-api" x="0" y="5.5" width="13" height="3" rx="1" />
        <rect className="fill-appsync" x="0" y="11" width="8" height="3" rx="1" />
      </svg>
      tristream
    </span>
  )
}

interface Props {
  account: Account
  username: string
  view: View
  onView: (view: View) => void
}

export function Header({ account, username, view, onView }: Props) {
  return (
    <header className="border-b border-line bg-surface">
      <div className="mx-auto flex max-w-[1440px] flex-wrap items-center gap-x-6 gap-y-1 px-4 pt-2 lg:h-13 lg:flex-nowrap lg:px-6 lg:pt-0">
        <Wordmark />
        <Tabs
          label="View"
          tabs={VIEWS.map(id => ({ id, content: NAMES[id] }))}
          selected={view}
          onSelect={onView}
          className="order-last flex w-full gap-5 self-stretch lg:order-none lg:w-auto"
          tabClassName="-mb-px h-9 border-b-2 border-transparent text-muted aria-selected:border-accent aria-selected:font-medium aria-selected:text-ink hover:text-ink lg:h-auto"
        />
        <div className="ml-auto flex items-center gap-2">
          <ThemeSwitch />
          <span className="hidden max-w-40 truncate text-muted sm:inline" title="Signed in as">
            {username}
          </span>
          <button type="button" className="button-quiet" onClick={() => void account.signOut()}>
            Sign out
          </button>
        </div>
      </div>
    </header>
  )
}

export function ThemeSwitch() {
  const [theme, setTheme] = useTheme()
  return (
    <select
      aria-label="Colours"
      className="h-8 rounded-md border border-line bg-surface px-2 text-muted"
      value={theme}
      onChange={event => setTheme(THEMES.find(known => known === event.target.value) ?? 'system')}
    >
      <option value="system">Auto</option>
      <option value="light">Light</option>
      <option value="dark">Dark</option>
    </select>
  )
}
