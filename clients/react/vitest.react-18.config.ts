import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

import { withReact } from './vitest.shared.js';

const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig(
  withReact(18, [
    { find: /^(react|react-dom)($|\/)/, replacement: `${pathOf('../react-18/node_modules')}/$1$2` },
    {
      find: '@testing-library/react',
      replacement: pathOf('../node_modules/@testing-library/react/dist/@testing-library/react.esm.js'),
    },
  ]),
);
