import { fileURLToPath } from 'node:url';

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

import { sources } from '../vitest.shared.js';

// Where `npm run dev` finds a running `roomcast dev`.
const roomcast = process.env['ROOMCAST_DEV'] ?? 'http://127.0.0.1:3000';

export default defineConfig({
  plugins: [react()],
  // The packages as they are here, not what was built of them.
  resolve: {
    alias: {
      ...sources,
      '@roomcast/react': fileURLToPath(new URL('../react/src/index.ts', import.meta.url)),
    },
    dedupe: ['react', 'react-dom', 'socket.io-client'],
  },
  build: {
    // The binary embeds what lies here.
    outDir: '../../crates/roomcast/playground',
    emptyOutDir: true,
    // The page's policy takes nothing inline, data: URLs included.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
    license: { fileName: 'assets/LICENSES.txt' },
    // The first browsers with light-dark(), which the styles stand on.
    target: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
  },
  server: {
    proxy: {
      // The bridge answers its own page alone.
      '/dev': { target: roomcast, changeOrigin: true, headers: { origin: roomcast } },
      '/socket.io': { target: roomcast, ws: true },
    },
  },
});
