// Checks the licences that lock files state: npm-licenses.mjs <folder of a package-lock.json>...
// What runs in a visitor's browser must be permissive; a tool's licence may also ask for changes to itself back.
import { readFileSync } from 'node:fs'

const PERMISSIVE = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT', 'MIT-0']
const OF_TOOLS = [...PERMISSIVE, 'CC0-1.0', 'MPL-2.0', 'Python-2.0']

const isAllowed = (licence, allowed) =>
  typeof licence === 'string' &&
  licence.replace(/^\((.*)\)$/, '$1').split(' OR ').some((choice) => allowed.includes(choice))

let refused = 0
for (const folder of process.argv.slice(2)) {
  const { packages } = JSON.parse(readFileSync(`${folder}/package-lock.json`, 'utf8'))
  const installed = Object.entries(packages).filter(([path, entry]) => path !== '' && !entry.link)
  for (const [path, entry] of installed) {
    if (isAllowed(entry.license, entry.dev ? OF_TOOLS : PERMISSIVE)) continue
    console.error(`${folder}: ${path} ${entry.version} is under ${entry.license ?? 'no stated licence'}`)
    refused += 1
  }
  console.log(`${folder}: ${installed.length} packages, ${installed.filter(([, { dev }]) => !dev).length} of them shipped`)
}
process.exit(refused ? 1 : 0)
