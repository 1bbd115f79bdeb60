/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/tests'],
  testMatch: ['<rootDir>/tests/**/*.test.ts'],
  // The other rows of the fault table: npm run test:faults, npm run test:nightly, npm run test:soak. On a slow machine all of
  // tier P take longer than everything else together; a commit runs the quick ones.
  testPathIgnorePatterns: [
    '/node_modules/',
    '/tests/faults/(nightly|soak)/',
    '/tests/faults/ft-(?!(21|27|33|35|39|40)-)',
  ],
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
  testTimeout: 60_000,
  maxWorkers: '100%',
  workerIdleMemoryLimit: '600MB',
  globalSetup: '<rootDir>/tests/support/global-setup.ts',
  globalTeardown: '<rootDir>/tests/support/global-teardown.ts',
  reporters: ['default', '<rootDir>/tests/support/closing-line.js'],
};
