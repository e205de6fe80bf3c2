/** Prompts whose answers differ in what they ask of a lane: short, long, code, a table. */
export const STARTERS = [
  { name: 'Short', prompt: 'Why is the sky blue? Answer in two sentences.' },
  { name: 'Long', prompt: 'Explain how TCP congestion control works, in about 400 words.' },
  { name: 'Code', prompt: 'Write a Rust function that reverses the words of a sentence, with a test.' },
  { name: 'Table', prompt: 'Compare HTTP streaming, WebSockets and GraphQL subscriptions in a table.' },
] as const
