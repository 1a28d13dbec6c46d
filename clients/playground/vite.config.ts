import { fileURLToPath } from 'node:url';

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

import { sources } from '../vitest.shared.js';

// The running `roomcast dev` to which `npm run dev` sends requests.
const devServer = process.env['ROOMCAST_DEV'] ?? 'http://127.0.0.1:3000';

export default defineConfig({
  plugins: [react()],
  // Use the sources of the packages instead of their builds.
  resolve: {
    alias: {
      ...sources,
      '@roomcast/react': fileURLToPath(new URL('../react/src/index.ts', import.meta.url)),
    },
    dedupe: ['react', 'react-dom', 'socket.io-client'],
  },
  build: {
    // The binary embeds this folder.
    outDir: '../../crates/roomcast/playground',
    emptyOutDir: true,
    // The page's content security policy allows no inline content, including data: URLs.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
    license: { fileName: 'assets/LICENSES.txt' },
    // The first browsers with light-dark(), which the styles use.
    target: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
  },
  server: {
    proxy: {
      // The bridge accepts only requests of its own origin.
      '/dev': { target: devServer, changeOrigin: true, headers: { origin: devServer } },
      '/socket.io': { target: devServer, ws: true },
    },
  },
});
