import type { Plugin } from 'vite';

/**
 * Allows tests to import the product owner's documented examples without a change to them. It exports the component that
 * a file in `owner/` declares, and wraps an example that contains only the body of a component into a component.
 */
export function ownerExamples(): Plugin {
  return {
    name: 'owner-examples',
    enforce: 'pre',
    transform(code, id) {
      if (!id.includes('/tests/owner/')) return null;
      if (id.endsWith('/debugging.js')) return componentWith(code);
      const declared = /^function ([A-Z]\w*)/m.exec(code)?.[1];
      return declared ? `${code}\nexport { ${declared} };\n` : null;
    },
  };
}

function componentWith(body: string): string {
  return [
    "import { useEffect } from 'react';",
    "import { useSocket } from '../hooks/useSocket';",
    'export function Debugging() {',
    body,
    '  return null;',
    '}',
  ].join('\n');
}
