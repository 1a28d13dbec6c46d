import { defineConfig } from 'vitest/config';

import { withReact } from './vitest.shared.js';

export default defineConfig(withReact(19));
