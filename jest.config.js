/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/tests'],
  testMatch: ['<rootDir>/tests/**/*.test.ts'],
  // Rows of the fault table that take long: npm run test:nightly, npm run test:soak.
  testPathIgnorePatterns: ['/node_modules/', '/tests/faults/(nightly|soak)/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
      },
    ],
  },
  injectGlobals: false,
  restoreMocks: true,
  testTimeout: 30_000,
  maxWorkers: '100%',
  workerIdleMemoryLimit: '600MB',
  globalSetup: '<rootDir>/tests/support/global-setup.ts',
  globalTeardown: '<rootDir>/tests/support/global-teardown.ts',
  reporters: ['default', '<rootDir>/tests/support/closing-line.js'],
};
