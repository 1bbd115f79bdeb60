// Ends every run with the line "Tests: N passed, N failed"; a skipped test counts as failed, so none can hide.
export default class ClosingLine {
  #hidden = 0;
  onRunComplete(_contexts, results) {
    this.#hidden = results.numPendingTests + results.numTodoTests;
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites + this.#hidden;
    if (this.#hidden > 0) process.stdout.write(`\n${this.#hidden} skipped: a skipped test fails the run\n`);
    process.stdout.write(`\nTests: ${results.numPassedTests} passed, ${failed} failed\n`);
  }
  getLastError() {
    return this.#hidden > 0 ? new Error('skipped tests') : undefined;
  }
}
