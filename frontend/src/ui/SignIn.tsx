import { type ReactNode, type SubmitEvent, useEffect, useRef, useState } from 'react'
import type { Account, AccountState } from '../auth/account'
import { ThemeSwitch, Wordmark } from './Header'

export interface TestUser {
  username: string
  password: string
}

interface Props {
  account: Account
  state: Extract<AccountState, { phase: 'signed-out' | 'new-password' }>
  /** Filled in, for development against a stand-in. */
  testUser?: TestUser | undefined
}

export function SignIn({ account, state, testUser }: Props) {
  return (
    <main className="mx-auto flex min-h-[80dvh] w-full max-w-sm flex-col justify-center gap-6 px-4 py-12">
      <div className="flex items-center justify-between">
        <Wordmark />
        <ThemeSwitch />
      </div>
      {state.phase === 'new-password' ? (
        <NewPassword account={account} />
      ) : (
        <Credentials account={account} notice={state.notice} testUser={testUser} />
      )}
    </main>
  )
}

function Credentials({
  account,
  notice,
  testUser,
}: {
  account: Account
  notice?: string | undefined
  testUser?: TestUser | undefined
}) {
  return (
    <Form
      title="Sign in"
      says="Three serverless ways to stream a model's answer, side by side, measured."
      notice={notice}
      action="Sign in"
      busy="Signing in"
      submit={data => account.signIn(String(data.get('username')).trim(), String(data.get('password')))}
    >
      <Field label="User name or email">
        <input
          className="field"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          defaultValue={testUser?.username}
        />
      </Field>
      <Field label="Password">
        <input
          className="field"
          name="password"
          type="password"
          autoComplete="current-password"
          required
          defaultValue={testUser?.password}
        />
      </Field>
      {testUser && <p className="label">The test user of the local stand-ins is filled in.</p>}
    </Form>
  )
}

function NewPassword({ account }: { account: Account }) {
  return (
    <Form
      title="Choose a password"
      says="The one that you were given works only once. Choose your own to go on."
      action="Set password"
      busy="Setting password"
      submit={data => {
        if (data.get('password') !== data.get('again')) throw new Error('The two passwords are not the same.')
        return account.choosePassword(String(data.get('password')))
      }}
      onCancel={() => void account.signOut()}
    >
      <Field label="New password">
        <input className="field" name="password" type="password" autoComplete="new-password" required />
      </Field>
      <Field label="New password again">
        <input className="field" name="again" type="password" autoComplete="new-password" required />
      </Field>
    </Form>
  )
}

interface FormProps {
  title: string
  says: string
  notice?: string | undefined
  action: string
  busy: string
  submit: (data: FormData) => Promise<void>
  onCancel?: () => void
  children: ReactNode
}

function Form({ title, says, notice, action, busy, submit, onCancel, children }: FormProps) {
  const [submitting, setSubmitting] = useState(false)
  const [problem, setProblem] = useState<string>()
  const form = useRef<HTMLFormElement>(null)
  const said = problem ?? notice

  useEffect(() => {
    form.current?.querySelector('input')?.focus()
  }, [])

  const send = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    setSubmitting(true)
    setProblem(undefined)
    try {
      await submit(new FormData(event.currentTarget))
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error))
    } finally {
      setSubmitting(false)
    }
  }

  return (
    <form ref={form} className="card flex flex-col gap-4 p-6" onSubmit={event => void send(event)}>
      <div>
        <h1 className="text-lg font-semibold">{title}</h1>
        <p className="mt-1 text-muted">{says}</p>
      </div>
      {said && (
        <p role="alert" className={`border-l-2 py-0.5 pl-3 ${problem ? 'border-bad text-bad' : 'border-accent'}`}>
          {said}
        </p>
      )}
      {children}
      <div className="flex gap-2">
        <button type="submit" className="button-primary h-9 grow" disabled={submitting}>
          {submitting ? busy : action}
        </button>
        {onCancel && (
          <button type="button" className="button h-9" onClick={onCancel}>
            Cancel
          </button>
        )}
      </div>
    </form>
  )
}

function Field({ label, children }: { label: string; children: ReactNode }) {
  return (
    // The control comes as a child: a label around it needs no id.
    // biome-ignore lint/a11y/noLabelWithoutControl: see above
    <label className="flex flex-col gap-1.5">
      <span className="font-medium">{label}</span>
      {children}
    </label>
  )
}
