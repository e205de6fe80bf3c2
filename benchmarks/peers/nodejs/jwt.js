// How long verifying a token takes, without the keys and with them: jwt.js <token> <times>. Microseconds as JSON.
import { verifier } from './verifier.js'

const [token, times] = process.argv.slice(2)

async function timed(tokens) {
  const began = process.hrtime.bigint()
  await tokens.verify(token)
  return Number(process.hrtime.bigint() - began) / 1000
}

async function main() {
  const cold = []
  const cached = []
  for (let at = 0; at < 20; at++) cold.push(await timed(verifier()))
  const tokens = verifier()
  // Until the code is compiled as well as it gets.
  for (let at = 0; at < 500; at++) await timed(tokens)
  for (let at = 0; at < Number(times); at++) cached.push(await timed(tokens))
  console.log(JSON.stringify({ cold, cached }))
}

main()
