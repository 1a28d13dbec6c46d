import { fileURLToPath } from 'node:url';
import type { ViteUserConfig } from 'vitest/config';

import { sources } from '../vitest.shared.js';
import { documented } from './tests/owner-examples.js';

type Alias = { find: string | RegExp; replacement: string };

/** The tests of this package with one version of React, which `alias` may say the place of. */
export function withReact(version: number, alias: Alias[] = []): ViteUserConfig {
  const own = { ...sources, '@roomcast/react': fileURLToPath(new URL('./src/index.ts', import.meta.url)) };
  const found = Object.entries(own).map(([find, replacement]) => ({ find, replacement }));
  return {
    plugins: [documented()],
    resolve: { alias: [...alias, ...found] },
    test: {
      name: `react-${version}`,
      include: ['tests/**/*.test.{ts,tsx}'],
      environment: 'happy-dom',
      // The tests ask the server for its metrics, from a page of another origin.
      environmentOptions: { happyDOM: { settings: { fetch: { disableSameOriginPolicy: true } } } },
      provide: { react: version },
      // It would import React by itself, past the alias.
      server: { deps: { inline: [/@testing-library\/react/] } },
      testTimeout: 40_000,
      hookTimeout: 40_000,
    },
  };
}

declare module 'vitest' {
  interface ProvidedContext {
    /** The major version of React that the tests are meant to run with. */
    react: number;
  }
}
