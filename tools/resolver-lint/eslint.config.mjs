import appsync from '@aws-appsync/eslint-plugin';

const resolvers = ['terraform/modules/appsync/resolvers/*.js'];

/** @type {import('eslint').Linter.Config[]} */
export default [
  {
    files: resolvers,
    ...appsync.configs.recommended,
    languageOptions: {
      ...appsync.configs.recommended.languageOptions,
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
  },
  {
    files: resolvers,
    linterOptions: { reportUnusedDisableDirectives: 'error', noInlineConfig: true },
    rules: {
      // Listed as unsupported under "Supported runtime features", but not in the plugin's rules.
      'no-restricted-syntax': ['error', 'ThrowStatement', 'DoWhileStatement'],
      // The runtime has no fetch, no timers and no process: every name is a local or an import.
      'no-undef': 'error',
      'no-unused-vars': 'error',
    },
  },
];
