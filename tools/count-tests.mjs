// Adds up the results that the test runners left in a folder: *.trx (dotnet test) and *.json (vitest, playwright).
// Whatever failed is named once more at the end, where who reads only the end of a long output finds it.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.argv[2]
const MessageLimit = 2000
let passed = 0, failed = 0, skipped = 0, files = 0
const problems = []
const failures = []

const text = xml => xml.replace(/&#x([0-9A-Fa-f]+);/g, (_, hex) => String.fromCodePoint(parseInt(hex, 16)))
  .replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&apos;/g, "'").replace(/&amp;/g, '&')
const failure = (name, message) => failures.push(`failed: ${name}\n${(message ?? '').slice(0, MessageLimit).replace(/^/gm, '  ')}`)

function countTrx(name, report) {
  const counters = /<Counters ([^>]*)\/>/.exec(report)
  if (!counters) return problems.push(`${name} holds no counters`)
  const count = key => Number(new RegExp(`\\b${key}="(\\d+)"`).exec(counters[1])?.[1] ?? 0)
  passed += count('passed')
  failed += count('failed') + count('error') + count('timeout') + count('aborted')
  skipped += count('total') - count('executed')
  for (const [, attributes, rest] of report.matchAll(/<UnitTestResult ([^>]*outcome="(?:Failed|Error|Timeout|Aborted)"[^>]*)>(.*?)<\/UnitTestResult>/gs))
    failure(text(/testName="([^"]*)"/.exec(attributes)?.[1] ?? name), text(/<ErrorInfo>(.*?)<\/ErrorInfo>/s.exec(rest)?.[1].replace(/<[^>]*>/g, '\n').trim() ?? ''))
}

function countVitest(report) {
  passed += report.numPassedTests
  failed += report.numFailedTests + (report.numFailedTestSuites > 0 && report.numFailedTests === 0 ? 1 : 0)
  skipped += report.numPendingTests + report.numTodoTests
  for (const suite of report.testResults) {
    if (suite.message) failure(suite.name, suite.message)
    for (const test of suite.assertionResults)
      if (test.status === 'failed') failure(test.fullName, test.failureMessages.join('\n'))
  }
}

function countPlaywright(report) {
  passed += report.stats.expected + report.stats.flaky
  failed += report.stats.unexpected + (report.errors?.length ?? 0)
  skipped += report.stats.skipped
  for (const error of report.errors ?? []) failure('playwright', error.message)
  const walk = suite => {
    for (const spec of suite.specs ?? [])
      if (!spec.ok) failure(`${spec.file}: ${spec.title}`, spec.tests.flatMap(test => test.results).map(result => result.error?.message).filter(Boolean).at(-1))
    for (const inner of suite.suites ?? []) walk(inner)
  }
  report.suites.forEach(walk)
}

for (const name of readdirSync(folder, { recursive: true })) {
  const path = join(folder, name)
  if (name.endsWith('.trx')) countTrx(name, readFileSync(path, 'utf8'))
  else if (name.endsWith('.json')) {
    const report = JSON.parse(readFileSync(path, 'utf8'))
    if ('numPassedTests' in report) countVitest(report)
    else if (report.stats) countPlaywright(report)
    else { problems.push(`${name} is no known report`); continue }
  } else continue
  files++
}
if (files === 0) problems.push('no test ran')
for (const problem of [...failures, ...problems]) console.error(problem)
console.log(`${passed} passed, ${failed + problems.length} failed, ${skipped} skipped`)
process.exit(failed + problems.length > 0 ? 1 : 0)
