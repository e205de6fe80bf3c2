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
          <Growing text={growing} />
        </div>
      )}
    </div>
  )
})

const ITEM = /^ {0,3}([-*+]|\d{1,9}[.)]) /

/**
 * A block that is still growing, drawn without parsing it in every frame: nearly as it will look, so that little moves
 * when it is finished.
 */
function Growing({ text }: { text: string }) {
  const lastLine = text.lastIndexOf('\n') + 1
  // Rows and items that are finished are parsed, once for each new one.
  if (/^ {0,3}\|/.test(text)) return text.split('\n').length > 2 ? <Block text={text.slice(0, lastLine)} /> : null
  if (ITEM.test(text) && lastLine > 0) {
    return (
      <>
        <Block text={text.slice(0, lastLine)} />
        <p className="pl-5">{inline(text.slice(lastLine).replace(ITEM, ''))}</p>
      </>
    )
  }
  return <Plain text={text} />
}

function Plain({ text }: { text: string }) {
  const fenced = /^ {0,3}(?:`{3,}|~{3,}).*\n?/.exec(text)
  // Code looks like code from its first line on.
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what may scroll must be reachable by keyboard
  if (fenced) return <pre tabIndex={0}>{text.slice(fenced[0].length).replace(/\n *[`~]{3,}\s*$/, '') || ' '}</pre>
  const heading = /^#{1,4} /.exec(text)
  if (heading) return <p className="font-semibold">{text.slice(heading[0].length)}</p>
  return <p className="whitespace-pre-wrap">{inline(text.trimEnd())}</p>
}

/** Emphasis and code that are closed; an open mark stays as it is until its partner has come. */
function inline(text: string) {
  return text.split(/(\*\*[^*\n]+\*\*|\*[^*\s][^*\n]*\*|`[^`\n]+`)/).map((part, index) => {
    const key = index // Parts are only ever appended.
    if (index % 2 === 0) return part
    if (part.startsWith('**')) return <strong key={key}>{part.slice(2, -2)}</strong>
    if (part.startsWith('*')) return <em key={key}>{part.slice(1, -1)}</em>
    return <code key={key}>{part.slice(1, -1)}</code>
  })
}
