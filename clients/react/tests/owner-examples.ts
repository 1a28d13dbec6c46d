import type { Plugin } from 'vite';

/**
 * Lets tests import what the owner documents without a change to it: exports the component that a file in `owner/`
 * declares, and makes the lines that stand for the inside of a component one.
 */
export function documented(): Plugin {
  return {
    name: 'documented-examples',
    enforce: 'pre',
    transform(code, id) {
      if (!id.includes('/tests/owner/')) return null;
      if (id.endsWith('/debugging.js')) return component(code);
      const declared = /^function ([A-Z]\w*)/m.exec(code)?.[1];
      return declared ? `${code}\nexport { ${declared} };\n` : null;
    },
  };
}

function component(lines: string): string {
  return [
    "import { useEffect } from 'react';",
    "import { useSocket } from '../hooks/useSocket';",
    'export function Debugging() {',
    lines,
    '  return null;',
    '}',
  ].join('\n');
}
