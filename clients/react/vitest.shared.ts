import { fileURLToPath } from 'node:url';
import type { ViteUserConfig } from 'vitest/config';

import { sources } from '../vitest.shared.js';
import { ownerExamples } from './tests/owner-examples.js';

type Alias = { find: string | RegExp; replacement: string };

/** The configuration of this package's tests for one major version of React. `alias` may redirect to that version. */
export function withReact(version: number, alias: Alias[] = []): ViteUserConfig {
  const packages = {
    ...sources,
    '@roomcast/react': fileURLToPath(new URL('./src/index.ts', import.meta.url)),
  };
  const packageAliases = Object.entries(packages).map(([find, replacement]) => ({ find, replacement }));
  return {
    plugins: [ownerExamples()],
    resolve: { alias: [...alias, ...packageAliases] },
    test: {
      name: `react-${version}`,
      include: ['tests/**/*.test.{ts,tsx}'],
      environment: 'happy-dom',
      // The tests read the server's metrics from a page of another origin.
      environmentOptions: { happyDOM: { settings: { fetch: { disableSameOriginPolicy: true } } } },
      provide: { react: version },
      // Inlined, because otherwise its imports of React would ignore the alias.
      server: { deps: { inline: [/@testing-library\/react/] } },
      testTimeout: 40_000,
      hookTimeout: 40_000,
    },
  };
}

declare module 'vitest' {
  interface ProvidedContext {
    /** The expected major version of React. */
    react: number;
  }
}
