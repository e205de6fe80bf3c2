import ReactMarkdown, { type Components } from 'react-markdown'
import remarkGfm from 'remark-gfm'

const PLUGINS = [remarkGfm]

const COMPONENTS: Components = {
  // The model chooses the address: the page that opens must not learn where it was opened from, nor reach back.
  a: ({ children, href }) => (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  ),
  // An image's address can carry the conversation away, without a click.
  img: ({ alt }) => <span className="text-muted">[image: {alt}]</span>,
  // Both scroll where they are wider than the answer, and what scrolls must be reachable by keyboard.
  // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
  pre: ({ children }) => <pre tabIndex={0}>{children}</pre>,
  // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
  table: ({ children }) => <table tabIndex={0}>{children}</table>,
}

export default function Markdown({ text }: { text: string }) {
  return (
    <ReactMarkdown remarkPlugins={PLUGINS} components={COMPONENTS}>
      {text}
    </ReactMarkdown>
  )
}
