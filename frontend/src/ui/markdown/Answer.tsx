import { lazy, memo, Suspense } from 'react'
import { blocks } from './blocks'

// The parser is the heaviest part of the client: it comes after the first paint.
const Markdown = lazy(() => import('./Markdown'))

/** Parsing costs milliseconds, so a block is parsed once, when nothing can change it any more. */
const Block = memo(function Block({ text }: { text: string }) {
  return (
    <Suspense fallback={<Plain text={text} />}>
      <Markdown text={text} />
    </Suspense>
  )
})

interface Props {
  text: string
  /** No more text will come: the last block is finished, too. */
  complete: boolean
}

/** An answer as markdown while it streams. */
export const Answer = memo(function Answer({ text, complete }: Props) {
  const { finished, growing } = blocks(text)
  const whole = complete && growing !== '' ? [...finished, growing] : finished
  return (
    <div className="answer">
      {whole.map((block, index) => (
        // A block never moves and never changes, so its place is its name.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above
        <div key={index}>
          <Block text={block} />
        </div>
      ))}
      {!complete && growing !== '' && (
        <div>
          <Plain text={growing} />
        </div>
      )}
    </div>
  )
})

/** A block that is still growing: the text as it is, but code looks like code from its first line on. */
function Plain({ text }: { text: string }) {
  const fenced = /^ {0,3}(?:`{3,}|~{3,}).*\n?/.exec(text)
  if (fenced) return <pre>{text.slice(fenced[0].length) || ' '}</pre>
  const heading = /^#{1,4} /.exec(text)
  if (heading) return <p className="font-semibold">{text.slice(heading[0].length)}</p>
  return <p className="whitespace-pre-wrap">{text}</p>
}
