// Adds up the results that the test runners left in a folder: *.trx (dotnet test) and *.json (vitest, playwright).
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.argv[2]
let passed = 0, failed = 0, skipped = 0, files = 0
const problems = []

for (const name of readdirSync(folder, { recursive: true })) {
  const path = join(folder, name)
  if (name.endsWith('.trx')) {
    const counters = /<Counters ([^>]*)\/>/.exec(readFileSync(path, 'utf8'))
    if (!counters) { problems.push(`${name} holds no counters`); continue }
    const count = key => Number(new RegExp(`\\b${key}="(\\d+)"`).exec(counters[1])?.[1] ?? 0)
    passed += count('passed')
    failed += count('failed') + count('error') + count('timeout') + count('aborted')
    skipped += count('total') - count('executed')
    files++
  } else if (name.endsWith('.json')) {
    const report = JSON.parse(readFileSync(path, 'utf8'))
    if ('numPassedTests' in report) {
      passed += report.numPassedTests
      failed += report.numFailedTests + (report.numFailedTestSuites > 0 && report.numFailedTests === 0 ? 1 : 0)
      skipped += report.numPendingTests + report.numTodoTests
    } else if (report.stats) {
      passed += report.stats.expected + report.stats.flaky
      failed += report.stats.unexpected + (report.errors?.length ?? 0)
      skipped += report.stats.skipped
    } else { problems.push(`${name} is no known report`); continue }
    files++
  }
}
if (files === 0) problems.push('no test ran')
for (const problem of problems) console.error(problem)
console.log(`${passed} passed, ${failed + problems.length} failed, ${skipped} skipped`)
process.exit(failed + problems.length > 0 ? 1 : 0)
